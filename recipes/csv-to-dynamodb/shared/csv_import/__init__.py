"""Rows of CSV files, and how they become items of a DynamoDB table: once each, however often they come."""
