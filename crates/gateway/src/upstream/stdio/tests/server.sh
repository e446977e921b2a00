# A small MCP server for tests. It notes every line it gets in $LOG and does what the name of the
# called tool says. Only builtins, except where a test is about what it starts.
note() { printf '%s\n' "$1" >>"$LOG"; }
say() { printf '%s\n' "$1"; }
text() { say "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"text\":\"$1\"}}"; }

note "start $$"
while IFS= read -r line; do
  note "$line"
  id=${line#*\"id\":}
  id=${id%%[,\}]*}
  case $line in
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
