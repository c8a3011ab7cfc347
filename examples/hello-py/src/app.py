NAME_CHARS_MAX = 100


def handler(event, context):
    """Greets `?name=`. Lambda style: an event in, a dict out; without `statusCode` it becomes 200
    and JSON."""
    query = event.get("queryStringParameters") or {}
    name = query.get("name", "").strip() or "world"
    if len(name) > NAME_CHARS_MAX:
        return {
            "statusCode": 400,
            "body": f"name: at most {NAME_CHARS_MAX} characters, got {len(name)}\n",
        }
    print(f"greeting {name} for {context.aws_request_id}")
    return {"message": f"Hello, {name}!", "function": context.function_name}
