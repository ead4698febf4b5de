# Judges a kernel without type information: the sensor must say so and end.

($facts | add // {}) as $facts
| def must(statement; holds): if (try holds catch false) then empty else statement end;
  [
    must("the exit code: \($facts.exit)"; $facts.exit == 1),
    must("the log says what is missing: \($log)"; $log | test("/sys/kernel/btf/vmlinux") and test("CONFIG_DEBUG_INFO_BTF")),
    must("no rows, no alerts"; $rows == [] and $alerts == [])
  ] as $wrong
| {
    $wrong,
    cells: [
      "\($facts.release // $name) (user-mode Linux, no BTF)", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–",
      (if $wrong == [] then "refuses: says that BTF is missing, exit code 1" else "**no**" end), "–"
    ]
  }
