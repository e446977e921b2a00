# A small MCP server for tests. It notes every line it gets in $LOG and does what the name of the
# called tool says. Only builtins, except where a test is about what it starts.
note() { printf '%s\n' "$1" >>"$LOG"; }
say() { printf '%s\n' "$1"; }
refuse() { say "{\"jsonrpc\":\"2.0\",\"id\":$1,\"error\":{\"code\":$2,\"message\":\"no\"}}"; }
discovered() { say "{\"jsonrpc\":\"2.0\",\"id\":$1,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{}}}"; }
# Params and a result that name the subscription $listening.
named() { printf '{%s"_meta":{"io.modelcontextprotocol/subscriptionId":%s}}' "$1" "$listening"; }
text() { say "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"text\":\"$1\"}}"; }

note "start $$"
while IFS= read -r line; do
  note "$line"
  id=${line#*\"id\":}
  id=${id%%[,\}]*}
  # What the server knows of eras is told it in $MODE; without it, it knows of none.
  case $MODE:$line in
  modern:*'"server/discover"'* | both:*'"server/discover"'*)
    discovered "$id"
    continue
    ;;
  refuses:*'"server/discover"'*)
    refuse "$id" -32601
    continue
    ;;
  dies:*'"server/discover"'*) exit 4 ;;
  slow*:*'"server/discover"'*)
    question=$id
    continue
    ;;
  modern:*'"initialize"'*)
    refuse "$id" -32022
    continue
    ;;
  slow-first:*'"initialize"'*)
    discovered "$question"
    refuse "$id" -32022
    continue
    ;;
  slow-last:*'"initialize"'*)
    refuse "$id" -32022
    # Long enough for the refusal to be read alone.
    sleep 0.05
    discovered "$question"
    continue
    ;;
  esac
  case $line in
  *'"subscriptions/listen"'*)
    listening=$id
    say "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":$(named)}"
    ;;
  *'"name":"publish"'*)
    say "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":$(named)}"
    text published
    ;;
  *'"name":"end"'*)
    say "{\"jsonrpc\":\"2.0\",\"id\":$listening,\"result\":$(named '"resultType":"complete",')}"
    text ended
    ;;
  *'"initialize"'*)
    say "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"serverInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"
    ;;
  *'"resources/subscribe"'*) say "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{}}" ;;
  *'"id":"q1","result"'*)
    id=$asked
    text answered
    ;;
  *'"name":"hello"'*) text hello ;;
  *'"name":"pid"'*) text $$ ;;
  *'"name":"secret"'*) text "$KEY" ;;
  *'"name":"directory"'*) text "$(pwd -P)" ;;
  *'"name":"argument"'*) text "$1" ;;
  *'"name":"environment"'*)
    names=
    for pair in $(env -0 | tr '\0' '\n' | grep -o '^[A-Za-z_]*='); do names="$names ${pair%=}"; done
    text "$names"
    ;;
  *'"name":"progress"'*)
    say "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":$id,\"progress\":1}}"
    text done
    ;;
  *'"name":"start"'*)
    say "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":$id,\"progress\":1}}"
    ;;
  *'"name":"ask"'*)
    asked=$id
    say '{"jsonrpc":"2.0","id":"q1","method":"roots/list"}'
    ;;
  *'"name":"change"'*)
    say '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'
    text changed
    ;;
  *'"name":"noise"'*)
    say 'Server listening'
    say ''
    say "{'not': 'json'}"
    say '{"level":"info","message":"json, but no message"}'
    printf 'a debug line to standard error\n' >&2
    text 'quiet again'
    ;;
  *'"name":"huge"'*)
    printf '{"jsonrpc":"2.0","id":%s,"result":{"text":"' "$id"
    printf '%070000d' 0
    say '"}}'
    ;;
  *'"name":"hang"'*) ;;
  *'"name":"crash"'*) exit 3 ;;
  *'"name":"stubborn"'*)
    trap 'note "ignored the signal"' TERM
    stubborn=1
    sleep 60 &
    text $!
    ;;
  *'"tools/call"'*) text unknown ;;
  esac
done
note 'end of input'
# Not for ever: a test that was killed itself leaves nothing behind.
while [ -n "$stubborn" ] && [ ${#stubborn} -lt 1000 ]; do
  wait
  sleep 0.01
  stubborn="${stubborn}1"
done
