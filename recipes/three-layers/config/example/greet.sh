# Greets everybody whom the event names, as /opt/etc/greeting.conf says.

setting() {  # NAME
  sed -n "s/^$1 *= *//p" "$OPT/etc/greeting.conf"
}

hello() {
  local greeting ending names name answers=()
  greeting=$(setting greeting)
  ending=$(setting ending)
  # JSON.sh prints a line for every value: ["names",0], a tab, "Ada"
  names=$(JSON.sh -l | sed -n 's/^\["names",[0-9]*\]\t"\(.*\)"$/\1/p')
  [[ -n $names ]] || fail Greeting.Nobody "the event names nobody"

  while IFS= read -r name; do
    echo "greeting $name" >&2
    answers+=("\"$greeting, $name$ending\"")
  done <<<"$names"
  local IFS=,
  printf '{"greetings": [%s]}' "${answers[*]}"
}
