"""The door to AWS: the only importer of boto3 and botocore, which are loaded when first needed."""
