"""What is sent to queues, topics and functions, as Lambda does with records of asynchronous invocations."""

from layerkit.aws.sessions import Session


class MessageApi:
    """Messages in one region, with one session. Raises ``AwsError`` subclasses."""

    def __init__(self, session: Session, region: str) -> None:
        self._session = session
        self._region = region

    def to_queue(self, name: str, *, account: str, text: str) -> None:
        """Send a message to an SQS queue."""
        service = self._session.service("sqs", self._region)
        found = service.call("GetQueueUrl", needs="QueueUrl", QueueName=name, QueueOwnerAWSAccountId=account)
        service.call("SendMessage", needs="MessageId", QueueUrl=found["QueueUrl"], MessageBody=text)

    def to_topic(self, arn: str, *, text: str) -> None:
        """Publish a message to an SNS topic."""
        self._session.service("sns", self._region).call("Publish", needs="MessageId", TopicArn=arn, Message=text)

    def to_function(self, arn: str, *, text: str) -> None:
        """Invoke a function asynchronously."""
        service = self._session.service("lambda", self._region)
        service.call("Invoke", needs="StatusCode", FunctionName=arn, InvocationType="Event", Payload=text.encode())
