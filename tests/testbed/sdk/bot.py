"""The same bot as bot.mjs on slack_sdk's WebClient and SocketModeClient.

API_URL  BOT_TOKEN  APP_TOKEN
"""

import os
import threading

from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.webhook import WebhookClient

web = WebClient(token=os.environ["BOT_TOKEN"], base_url=os.environ["API_URL"] + "/")
web.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=2))
socket = SocketModeClient(app_token=os.environ["APP_TOKEN"], web_client=web)


def plain(text):
    return {"type": "plain_text", "text": text}


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


FORM = {
    "type": "modal",
    "callback_id": "open",
    "private_metadata": "ops",
    "title": plain("Open an incident"),
    "submit": plain("Open"),
    "blocks": [
        {
            "type": "input",
            "block_id": "what",
            "label": plain("Summary"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
        {
            "type": "input",
            "block_id": "where",
            "label": plain("Target"),
            "element": {"type": "external_select", "action_id": "target", "min_query_length": 1},
        },
    ],
}


def card(text):
    approve = {
        "type": "button",
        "action_id": "approve",
        "text": plain("Approve"),
        "value": "proposal-1",
        "style": "primary",
    }
    return [{"type": "header", "text": plain("Incident 1")}, section(text), {"type": "actions", "elements": [approve]}]


def submitted(payload):
    """What to acknowledge with, and what to do after."""
    values = payload["view"]["state"]["values"]
    summary = values["what"]["text"]["value"]
    target = values["where"]["target"]["selected_option"]["value"]
    if " " not in summary:
        return {"response_action": "errors", "errors": {"what": "Say what is down, slow or wrong."}}, None

    def work():
        room = web.conversations_create(name="inc-1")["channel"]["id"]
        web.conversations_invite(channel=room, users=[payload["user"]["id"]])
        web.conversations_setTopic(channel=room, topic="SEV1")
        metadata = {"event_type": "orderly", "event_payload": {"key": "card-1"}}
        blocks = card(f"{summary} on {target}")
        ts = web.chat_postMessage(channel=room, text=summary, blocks=blocks, metadata=metadata)["ts"]
        web.pins_add(channel=room, timestamp=ts)
        web.bookmarks_add(channel_id=room, type="link", title="Runbook", link="https://example.com/")
        web.files_upload_v2(
            channel=room, filename="notes.md", title="Notes", content="# Notes", initial_comment="So far"
        )

    return None, work


def pressed(payload):
    channel, user = payload["channel"]["id"], payload["user"]["id"]
    value = payload["actions"][0]["value"]
    blocks = [section(f"{value} approved by <@{user}>")]
    web.chat_update(channel=channel, ts=payload["message"]["ts"], text="approved", blocks=blocks)
    answer = WebhookClient(payload["response_url"]).send(
        text="Thank you", replace_original=False, response_type="ephemeral"
    )
    assert answer.body == "ok", answer.body


def happened(event):
    kind = event["type"]
    if kind == "reaction_added":
        channel, ts = event["item"]["channel"], event["item"]["ts"]
        text = web.conversations_replies(channel=channel, ts=ts, inclusive=True, limit=1)["messages"][0]["text"]
        web.chat_postMessage(channel=channel, thread_ts=ts, text=f"Noted: {text}")
    elif kind == "app_mention":
        thread = event.get("thread_ts", event["ts"])
        text = f"At your service, <@{event['user']}>"
        web.chat_postMessage(channel=event["channel"], thread_ts=thread, text=text)
    elif kind == "app_home_opened":
        view = {"type": "home", "blocks": [section("*Open incidents*")]}
        web.views_publish(user_id=event["user"], view=view)


def came(client, request):
    payload, answer, work = request.payload, None, None
    kind = payload.get("type")
    if request.type == "slash_commands":
        work = lambda: web.views_open(trigger_id=payload["trigger_id"], view=FORM)
    elif request.type == "events_api":
        work = lambda: happened(payload["event"])
    elif kind == "block_suggestion":
        word = payload["value"]
        answer = {"options": [{"text": plain(f"odoo {word}"), "value": f"odoo-{word}"}]}
    elif kind == "view_submission":
        answer, work = submitted(payload)
    elif kind == "block_actions":
        work = lambda: pressed(payload)
    elif kind == "message_action":
        channel, user, text = payload["channel"]["id"], payload["user"]["id"], payload["message"]["text"]
        work = lambda: web.chat_postEphemeral(channel=channel, user=user, text=f"Task: {text}")
    client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=answer))
    if work:
        work()


def find(name):
    for page in web.conversations_list(limit=1):
        for channel in page["channels"]:
            if channel["name"] == name:
                return channel["id"]
    raise SystemExit(f"no channel {name}")


socket.socket_mode_request_listeners.append(came)
socket.connect()
me = web.auth_test()
web.chat_postMessage(channel=find("ops"), text=f"ready: {me['user_id']} in {me['team_id']}")
threading.Event().wait()
