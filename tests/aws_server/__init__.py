"""A strict server that speaks the part of AWS that layers need, on this machine, for tests.

It knows what moto does not: AWS's limits and error texts, its throttle, pagination, conflicts, rules between accounts,
regions and partitions, links that can be downloaded, and everything that can go wrong on the way.
"""

from tests.aws_server.calls import Call
from tests.aws_server.faults import TRANSIENT, Fault, FaultPlan, Kind
from tests.aws_server.server import AwsServer
from tests.aws_server.state import Bucket, Function, LayerVersion, Parameter
from tests.aws_server.switches import Switches
from tests.aws_server.throttle import Throttle

__all__ = [
    "TRANSIENT",
    "AwsServer",
    "Bucket",
    "Call",
    "Fault",
    "FaultPlan",
    "Function",
    "Kind",
    "LayerVersion",
    "Parameter",
    "Switches",
    "Throttle",
]
