#!/bin/sh
# The page of `strake serve` in a browser: nodes, strips and the latency of frames that flow meanwhile; on a telephone's
# width nothing sticks out. With PAGE_PICTURE=FILE.png it leaves a picture of the page there. Left out without Chromium.
. "$(dirname "$0")/common.sh" "$1"
browser=$(command -v chromium || command -v chromium-browser) || exit 77
net=$scratch/net.onnx
picture=$(dirname "$0")/../data/small.png
"$strake" zoo squeezenet1_1 -q -o "$net" --size 96x96 || fail "zoo"

ports=$((20000 + $$ % 10000))
"$strake" serve "$net" --local 127.0.0.1:$ports --local-ranks 2 --strategy equal --http 127.0.0.1:$((ports + 10000)) \
  --threads 1 >"$scratch/serve" 2>&1 &
server=$!
stop() {
  kill $server 2>/dev/null
  wait $server 2>/dev/null
  rm -rf "$scratch"
}
trap stop EXIT
address=http://127.0.0.1:$((ports + 10000))
look() {
  "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$scratch/browser" "$@" \
    2>>"$scratch/browser.log"
}

"$strake" submit 127.0.0.1:$ports "$picture" >"$scratch/submit" 2>&1 ||
  { cat "$scratch/serve" "$scratch/submit"; fail "the first frame"; finish; }
timeout 120 "$strake" submit 127.0.0.1:$ports "$picture" --repeat 100000 >/dev/null 2>&1 &
flow=$!
sleep 7
look --window-size=1280,1000 --virtual-time-budget=6000 --dump-dom "$address/" >"$scratch/page.html"
look --window-size=390,844 --virtual-time-budget=4000 --dump-dom "$address/" >"$scratch/phone.html"
[ -z "${PAGE_PICTURE:-}" ] || look --window-size=1280,1180 --virtual-time-budget=6000 --screenshot="$PAGE_PICTURE" "$address/"
kill $flow 2>/dev/null

shows() {
  grep -Eq -- "$2" "$scratch/$1.html" || { fail "$1: nothing matches $2"; grep -v '^\(const\|function\|  \)' "$scratch/$1.html" | tail -40; }
}
shows page '<span id="job" role="status" class="good">ready</span>'
shows page 'equal on 2 ranks'
shows page 'data-points="[1-9]'
shows page 'data-strips="2"'
shows page 'data-events="[1-9]'
shows page '<b>job ready</b>'
shows page 'data-wide="false"'
shows phone 'data-wide="false"'
shows phone '<span id="job" role="status" class="good">ready</span>'
finish
