"""Handlers that several tests of ``layerkit invoke`` invoke, as text of a module."""

from typing import Final

HANDLERS: Final = """
import json, os, signal, subprocess, sys, time
COUNT = 0

def echo(event, context):
    return event

def prints(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    return "answer"

def raises(event, context):
    raise ValueError("no good")

def exits(event, context):
    sys.exit(3)

def counts(event, context):
    global COUNT
    COUNT += 1
    if event and COUNT == event:
        os._exit(1)
    return COUNT

def eats(event, context):
    eaten = []
    while True:
        eaten.append(bytearray(4 << 20))
"""
