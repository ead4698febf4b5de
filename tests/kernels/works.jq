# Judges a kernel on which everything must work.

($facts | add // {}) as $facts
| ($status[0] // {}) as $status
| ($facts.release // "0.0" | [scan("[0-9]+") | tonumber][:2]) as $version
| ["/bin/true", "marked-for-the-sensor", "", "two words"] as $arguments

# A statement that must hold; told if it does not.
| def must(statement; holds): if (try holds catch false) then empty else statement end;
  # Whether a task may lose its CPU in the middle of a program: Debian's kernels say `lazy` since 6.18.
  def preempts: $facts.preempts == "lazy" or $facts.preempts == "full";
  # Of a ladder, the rung that serves.
  def hook($status; $name): $status.hooks // [] | map(select(.name == $name)) | (map(select(.attached)) + .) | first;
  def hook($name): hook($status; $name);
  # Where programs sit. Failed execs need a helper of 5.11; since 6.8 files are opened in a function of their own.
  def wanted: {
    fork: true, exec: true, exit: true, baseline: true,
    exec_failed: ($version >= [5, 11]),
    exec_not_opened: ($version >= [6, 8]),
    audit: true, audit_verdict: true, module_load: true, bpf_load: true,
    credential_change: ($version >= [5, 11]), trace: true, containment: true,
    file: true,
    connection: true, accept: true, listener: true, bind: true, bind6: true,
    datagram: ($version >= [6, 3]), route: ($version >= [6, 3]), route6: ($version >= [6, 3]),
    memory_exec: true, memory_file: true, crash: true, sysctl: true, io_uring_setup: true,
    perf_event: ($version >= [5, 11]), kexec: true, bpf_call: true, raw_socket: true, unix_connect: true, user_helper: true,
    container: true
  };
  def told($rows): [$rows[] | select(.table == "audit_user_msg") | [.type_name, .address, .terminal, .result, .uid, .path]];
  def forged($alerts): [$alerts[] | select(.strategy_name == "Forged Message") | .process_info | [.uid, .name]];
  # What was loaded into the kernel: by which program, and what the alert's parts say of it.
  def loaded($policy):
    [$alerts[] | select(.strategy_name == $policy) | [.process_info.name, (.notifications[0].message_fields
      | .module_name // [.bpf_name, .bpf_type])]];
  def became($policy):
    [$alerts[] | select(.strategy_name == $policy) | .notifications[0].message_fields
      | [.credential_call, .is_credential_change_legal, .old_uid, .new_uid]] | unique;
  # What was done to other processes.
  def done_to_others:
    [$alerts[] | select(.strategy_name == "Other Process") | .notifications[0].message_fields
      | [.trace_request, .trace_errno, .target_program]] | sort;
  def parts($policy): [$alerts[] | select(.strategy_name == $policy) | .notifications[0].message_fields];
  # Each act on mounts is in a mount namespace of its own.
  def changed_namespaces:
    [parts("Other Namespaces")[] | [.namespace_call, .namespace_kinds, .namespace_errno, .child_pid != null]] | unique;
  def changed_mounts:
    [parts("Other Mounts")[] | [.mount_call, .mount_source, .mount_target, .mount_type, .mount_errno]] | unique;
  def told_of_files:
    [$rows[] | select(.table == "file_events") | [(.event_type | ltrimstr("FILE_EVENT_TYPE_")), .file_path, .target_path,
      .file_type, .file_error, .attribute, .old_mode, .new_mode, .old_owner, .new_owner, .is_file_user_mounts]
      # What is the same of nearly all is left out.
      | .[:4] + (if .[4:7] == [null, null, null] then [] else .[4:10] end) + (if .[10] then ["user mounts"] else [] end)];
  def in_watched($name): "/tmp/watched/" + $name;
  def on_renamed: [in_watched("renamed"), null, "regular"];
  def done_to_files: [
    ["CREATE", "/tmp/watched", null, "directory"],
    ["CREATE", in_watched("made"), null, "regular"],
    ["OPEN_FOR_MODIFY", in_watched("made"), null, "regular"],
    ["CREATE", in_watched("pipe"), null, "fifo"],
    ["CREATE", in_watched("symbolic"), "../made", "symlink"],
    ["LINK", in_watched("made"), in_watched("besides"), "regular"],
    ["RENAME", in_watched("made"), in_watched("renamed"), "regular"],
    ["ATTRIBUTE_CHANGE"] + on_renamed + [null, "mode", 33188, 33152, 0, 0],
    ["ATTRIBUTE_CHANGE"] + on_renamed + [null, "owner", 33152, 33152, 0, 1234],
    ["ATTRIBUTE_CHANGE"] + on_renamed + [null, "times", 33152, 33152, 1234, 1234],
    ["OPEN_FOR_MODIFY"] + on_renamed,
    ["MODIFY"] + on_renamed,
    # By a mount besides, and by one that a user may make.
    ["RENAME", "/tmp/elsewhere/besides", "/tmp/elsewhere/watched-besides", "regular"],
    ["DELETE", "/tmp/elsewhere/watched-besides", null, "regular"],
    ["CREATE", "/root/watched/masked", null, "regular", "user mounts"],
    ["DELETE", "/root/watched/masked", null, "regular", "user mounts"],
    ["DELETE", in_watched("pipe"), null, "fifo"],
    ["CREATE", in_watched("folder"), null, "directory"],
    ["DELETE", in_watched("folder"), null, "directory"],
    ["ATTRIBUTE_CHANGE"] + on_renamed + [null, "owner", 33152, 33152, 1234, 0],
    # What a user may not.
    ["ATTRIBUTE_CHANGE"] + on_renamed + [1, "mode", 33152, 33152, 0, 0]
  ];
  # Of the loads that go over loopback.
  def network($rows; $kind): [$rows[] | select(.table == "connections" and .event_type == "NETWORK_EVENT_TYPE_" + $kind)];
  def ends($rows; $kind; $protocol): [network($rows; $kind)[] | select(.protocol == $protocol) | [.src_port, .dst_port]] | sort;
  def ports($rows; $kind): [network($rows; $kind)[] | select(.protocol == "tcp") | .dst_port] | unique;
  def by($kind): [network($rows; $kind)[] | select(.path == "/bin/act") | .pid];
  def bound: [network($rows; "BIND")[] | select(.protocol == "udp" and .path == "/bin/act")
    | [.dst_addr, .dst_port, .network_result, .network_errno]] | sort;
  def made_code: [parts("Memory Made Executable")[] | [.memory_call, .memory_kind, .memory_protection]] | sort;
  def crashed: [parts("Program Crashed")[] | [.crash_signal, .crash_code, .fault_address_kind, .fault_access]] | sort;
  # Since Linux 6.19 the kernel does not say who was the last in it.
  def lived: [$rows[] | select(.table == "container_events")
    | [(.event_type | ltrimstr("CONTAINER_EVENT_TYPE_")), .container_runtime, .path] | if .[0] == "EXITED" then .[:2] else . end];
  def a_login: [["USER_LOGIN", "203.0.113.9", "tty1", "success", 0, "/bin/tell-audit"]];
  def by_the_user: [[1234, "/bin/tell-audit"]];
  def told_of_crowd:
    [$rows2[] | select(.event_type == "PROCESS_EVENT_TYPE_EXEC") | .args[-1] | strings | select(startswith("crowd-"))]
    | {all: length, each: (unique | length)};
  def told_of_users:
    [$alerts2[] | select(.strategy_name == "Other Credentials") | .process_info.args[-1] | select(startswith("true user-"))]
    | {all: length, each: (unique | length)};
  # What programs miss while all of a place are under way, where tasks are preempted in the middle of them (docs/kernels.md): of
  # classes whose programs mostly run for nothing it is not known to have been an event.
  def preempted: .stage == "hook" and .cause == "recursion" and $version >= [6, 12]
    and (.class | IN("process", "audit", "credentials") | not);
  def told_of_mounts:
    [$alerts2[] | select(.strategy_name == "Other Mounts")
      | [.process_info.args[-1], .notifications[0].message_fields.mount_target] | select(.[0] | startswith("mount-"))]
    | {all: length, each: (map(.[0]) | unique | length), whole: (map(select(.[1] == "/tmp/places/at")) | length),
        "in doubt": (map(select(.[1] // "" | startswith("…"))) | length)};
  # Of the second sensor, beside a crowd.
  def hook2($name): hook($status2[0]; $name);
  # Files that are not there are found where they are opened. That is a function of its own since 6.8; before, they have cost the
  # memory of a program first, so a guest makes a few thousand a second. On 5.10 none can be seen.
  def failing: if wanted.exec_not_opened then hook2("exec_not_opened") elif wanted.exec_failed then hook2("exec_failed") else null end;
  # Told in a second, to one user on the guest's one CPU: what all have together, and what is sure to each.
  def budget: 10000 + 10000 / 16;
  # How often a hook ran while the kernel counted.
  def runs($status; $name): hook($status[0]; $name).runs // 0;
  def deep: "/tmp/deep" + ([range(200)] | map("/d") | add) + "/true";
  def run_with($word): [$rows[] | select(.event_type == "PROCESS_EVENT_TYPE_EXEC" and .args[-1] == $word)];
  def of_program: select(.pid == $facts.program);
  # Of the sensor whose clock is set.
  def throttled: [$clock_alerts[] | select(.strategy_name == "Throttled") | .process_info.args[1]];
  def waits($status): $status[0].outputs[]? | select(.kind == "webhook") | [.queued >= 3, .dropped];
  def said($way): $clock_log | [scan("the clock was set \($way) by")] | length;
  def kinds: map(.event_type | ltrimstr("PROCESS_EVENT_TYPE_"));

  [$rows[] | of_program] as $program
| [$rows[] | select(.event_type == "PROCESS_EVENT_TYPE_EXEC_FAILED")] as $refused
| [$alerts[] | select(.process_info.pid == $facts.program)] as $alert
| [
    must("the row of the exec and that of the exit: \($program | kinds)"; $program | kinds == ["EXEC", "EXIT"]),
    ($program[] | must("each row's path, arguments, parent, user, folder and ancestors: \(.)";
      .path == "/bin/busybox" and .args == $arguments and .ppid == $facts.actor and .cwd == "/tmp"
      and [.uid, .euid, .gid, .egid] == [1234, 1234, 5678, 5678] and .parents == [$facts.actor, $facts.shell, 1])),
    must("the exit code: \($program[1].exit_code)"; $program[1].exit_code == 0),
    must("one alert: \($alert | length)"; $alert | length == 1),
    must("the alert's process: \($alert[0].process_info)"; $alert[0].process_info
      | .name == "/bin/busybox" and .args == $arguments and .ppid == $facts.actor and .cwd == "/tmp"
        and [.uid, .euid, .gid, .egid] == [1234, 1234, 5678, 5678]),
    # The last two were running before the sensor.
    must("the alert's lineage: \($alert[0].lineage)"; $alert[0].lineage | map([.pid, .uid, .name, .args]) == [
      [$facts.actor, 1234, "/bin/busybox", ["sh", "/root/programs"]],
      [$facts.shell, 0, "/bin/busybox", ["sh", "/root/scenario", "/found"]],
      [1, 0, "/bin/busybox", ["/bin/sh", "/init"]]
    ]),
    must("the failed execs, ENOENT and ENOEXEC: \($refused)";
      if wanted.exec_failed
      then $refused | map([.errno, .ppid, .uid]) == [[2, $facts.actor, 1234], [8, $facts.actor, 1234]]
      else $refused == [] end),
    must("their files: \($refused | map([.file_path, .script_path]))";
      if wanted.exec_failed
      then $refused | map([.file_path, .script_path]) == [
        ["/tmp/marked-for-the-sensor-missing", null],
        ["/tmp/marked-for-the-sensor-no-program", "/tmp/marked-for-the-sensor-no-program"]
      ]
      else true end),
    must("the script without a first line: \([$alerts[] | select(.strategy_name == "Script Without A First Line") | .process_info])";
      [$alerts[] | select(.strategy_name == "Script Without A First Line") | .process_info | [.name, .uid]]
      == if wanted.exec_failed then [["/bin/busybox", 1234]] else [] end),
    must("the script that was run: \([$rows[] | .script_path | strings])";
      [$rows[] | select(.event_type == "PROCESS_EVENT_TYPE_EXEC") | .script_path | strings] == ["/tmp/marked-for-the-sensor-script"]),
    must("the program many folders down: \(run_with("deep"))"; run_with("deep") | map([.path, .is_host_mounts]) == [[deep, true]]),
    must("the program in another's place: \(run_with("masked"))";
      run_with("masked") | map([.path, .host_path, .is_host_mounts, .is_user_mounts]) == [["/tmp/true", deep, false, true]]),
    must("the login that was told: \(told($rows))"; told($rows) == a_login),
    must("the sender: \([$rows[] | select(.table == "audit_user_msg")])";
      [$rows[] | select(.table == "audit_user_msg") | .pid] == [$facts.teller]),
    must("the login that was forged: \(forged($alerts))"; forged($alerts) == by_the_user),
    must("the BPF program: \(loaded("Loaded BPF Program"))";
      (loaded("Loaded BPF Program") | map(select(.[0] != "/bin/act"))) == [["/bin/load-bpf", ["marked", "socket_filter"]]]),
    must("the module: \(loaded("Loaded Module"))";
      loaded("Loaded Module") == if $facts.module then [["/bin/busybox", "dummy"]] else [] end),
    must("what the sensor itself loads raises nothing: \(loaded("BPF Program Of The Sensor"))";
      loaded("BPF Program Of The Sensor") == []),
    must("who became another user, and how: \(became("Other Credentials"))";
      became("Other Credentials") == if wanted.credential_change
        # Which call it was is asked with a helper of 5.15.
        then [if $version >= [5, 15] then ["setuid", "true", "0", "1234"] else [null, null, "0", "1234"] end] else [] end),
    must("what was done to other processes: \(done_to_others)"; done_to_others == ([
      (["attach", "attach", "mem_write", "pidfd_getfd", "process_vm_writev", "seize"][] | [., null, "/bin/act"]),
      ["attach", "1", "/bin/act"], ["traceme", null, "/bin/busybox"]] | sort)),
    must("namespaces that were made and entered: \(changed_namespaces)"; changed_namespaces == ([
      ["clone", "pid,uts", null, true], ["setns", "net", "1", false], ["setns", "net,uts", null, false],
      ["setns", "uts", null, false], ["unshare", "ipc,uts", null, false], ["unshare", "mnt", null, false],
      ["unshare", "uts", null, false]] | unique)),
    must("mounts that were changed: \(changed_mounts)"; changed_mounts == ([
      ["mount", "some-source", "/tmp/places/at", "tmpfs", null], ["mount", "some-source", "/tmp", "tmpfs", "1"],
      ["mount", "/tmp/places/other", "/tmp/places/at", null, null], ["umount", "some-source", "/tmp/places/at", "tmpfs", null],
      ["move_mount", "some-source", "/tmp/places/other", "tmpfs", null],
      ["pivot_root", "/tmp/places/at", "/tmp/places/at/old", null, null], ["chroot", null, "/tmp/places/at", null, null]] | unique)),
    must("what was done to files: \(told_of_files - done_to_files) told, \(done_to_files - told_of_files) not";
      told_of_files == done_to_files),
    must("who did it: \([$rows[] | select(.table == "file_events") | [.path, .uid]] | unique)";
      [$rows[] | select(.table == "file_events") | [.path, .uid]] | unique
        == [["/bin/busybox", 0], ["/bin/busybox", 1234]]),
    must("the alert on a file that a user may not change";
      [$alerts[] | select(.strategy_name == "Watched File") | .process_info.uid] == [1234]),
    # The first sensor by the best rungs, and the second one, which asks for the same.
    (([$rows, $rows2][]) as $rows
      | must("each connection with both ends, by whoever made it and by whoever took it: \(network($rows; "CONNECT_RESULT")) \(network($rows; "ACCEPT"))";
          ends($rows; "CONNECT_RESULT"; "tcp") == ends($rows; "ACCEPT"; "tcp") and (ends($rows; "ACCEPT"; "tcp") | length) >= 2
          and (network($rows; "CONNECT_ATTEMPT") | length) == (network($rows; "CONNECT_RESULT") | length)
          and all(network($rows; "CONNECT_RESULT")[]; .network_result == "success" and .dst_addr == "127.0.0.1")),
        must("where it was listened, and that the address was taken: \(network($rows; "LISTEN")) \(network($rows; "BIND"))";
          ports($rows; "LISTEN") == ports($rows; "ACCEPT") and ports($rows; "BIND") == ports($rows; "LISTEN")),
        must("the datagrams: \(network($rows; "SENDTO"))";
          if wanted.datagram then (network($rows; "SENDTO") | length) >= 1 and all(network($rows; "SENDTO")[]; .dst_addr == "127.0.0.1")
          else network($rows; "SENDTO") == [] end)),
    must("the addresses that sockets were given, or not: \(bound)"; bound == ([
      (["127.0.0.1", "::1"][] | [., 4711, "success", null], [., 4711, "failed", 98])] | sort)),
    must("the connection that a child took: \(by("LISTEN")) listens, \(by("ACCEPT")) took it";
      (by("LISTEN") | length) == 1 and (by("ACCEPT") | length) == 1 and by("ACCEPT") != by("LISTEN")),
    must("connections that are taken are told by the best rung: \(hook("accept"))"; hook("accept").rung == 1),
    must("memory that was made executable: \(made_code)"; made_code == ([
      ["mmap", "anonymous", "rwx"], ["mmap", "memfd", "r-x"], ["mprotect", "anonymous", "r-x"], ["mprotect", "anonymous", "r-x"],
      ["mprotect", "heap", "rwx"], ["mprotect", "shared", "r-x"], ["mprotect", "stack", "rwx"], ["mprotect", "written", "r-x"], ["mprotect", "written", "rwx"]]
      | sort)),
    must("the file in memory, and the faults: \(parts("File In Memory"), parts("Faults Handled"))";
      (parts("File In Memory") | map(.memfd_name)) == ["marked-for-the-sensor"]
      and (parts("Faults Handled") | map(.userfaultfd_flags)) == ["1"]),
    # Until Linux 5.15 the kernel does not say why a filter ended a program.
    must("programs that crashed: \(crashed)"; crashed == ([
      ["SIGABRT", "-6", null, null], ["SIGSEGV", "128", "protection", null], ["SIGFPE", "1", null, null],
      ["SIGSEGV", "1", "kernel", "read"], ["SIGSEGV", "1", "null", "read"], ["SIGSEGV", "2", "stack", "execute"],
      ["SIGSYS", (if $version >= [5, 16] then "1" else null end), null, null]] | sort)),
    must("a container: \(lived)"; lived == [
      ["CREATED", "docker", "/bin/busybox"], ["RUNNING", "docker", "/bin/act"], ["EXITED", "docker"],
      ["DESTROYED", "docker", "/bin/busybox"]]),
    must("settings, and rings: \(parts("Setting Written"), parts("Ring Made"))";
      (parts("Setting Written") | map([.sysctl_name, .sysctl_value, .sysctl_errno]) | sort) ==
        [["net.ipv4.ip_forward", null, "22"], ["net.ipv4.ip_forward", "1", null]]
      and (parts("Ring Made") | map([.io_uring_entries, .is_io_uring_polled])) == [["8", "false"]]),
    must("performance events: \(parts("Performance Event"))"; $version < [5, 11] or
      (parts("Performance Event") | map([.perf_type, .perf_pmu, .perf_config, .perf_scope, .perf_errno, .perf_target_program]) | unique)
        == ([["software", "software", "3", "itself", null, null], ["software", "software", "3", "everything", null, null], ["software", null, "4711", "itself", "2", null],
          ["software", "software", "3", "process", null, "/bin/act"]] | sort)),
    must("kernels to be started next: \(parts("Other Kernel"))";
      (parts("Other Kernel") | map([.kexec_call, .kexec_file, .is_kexec_unload, .kexec_errno == null]) | sort)
        == ([["kexec_load", null, "true", true], ["kexec_load", null, "true", false], ["kexec_file_load", "act", "false", false]]
          | sort)),
    must("BPF programs that are attached: \(parts("BPF Attached"))";
      (parts("BPF Attached") | map([.bpf_call, .bpf_program_name, .bpf_program_type, .bpf_function, .bpf_call_errno]) | sort)
        == ([["raw_tracepoint_open", "marked", "raw_tracepoint", "oom_score_adj_update", null],
          ["raw_tracepoint_open", "marked", "raw_tracepoint", null, "2"]]
          + (if $version < [5, 15] then [] else [["perf_event_set_bpf", "marked", "perf_event", null, null]] end) | sort)),
    must("what is the sensor's: \(parts("Sensor Touched"))";
      (parts("Sensor Touched") | map([.bpf_call, .sensor_object, .bpf_call_errno])) == [["get_fd_by_id", "map", null]]),
    must("raw sockets: \(parts("Raw Socket"))";
      (parts("Raw Socket") | map([.raw_socket_family, .raw_socket_type, .raw_socket_protocol, .raw_socket_errno]) | sort)
        == ([["ipv4", "raw", "1", null], ["ipv4", "raw", "1", null], ["packet", "raw", "3", null], ["packet", "raw", "3", "1"]] | sort)),
    must("sockets of the host: \(parts("Socket Connected"))";
      (parts("Socket Connected") | map([.socket_path, .is_abstract_socket, .socket_type, .socket_errno]) | sort)
        == ([["/tmp/stream", "false", "stream", null], ["/tmp/abstract", "true", "stream", null], ["/tmp/dgram", "false", "dgram", null],
          ["/tmp/seqpacket", "false", "seqpacket", null], ["/tmp/nobody", "false", "stream", "2"]] | sort)),
    must("helpers of the kernel: \(parts("Kernel Helper"))";
      parts("Kernel Helper") | any(.helper_path == "/sbin/modprobe" and (.helper_cmdline | contains("net-pf-9")))),
    must("audit has the best rung: \(hook("audit"))"; hook("audit").rung == 1),
    must("audit by the tracepoint: \(hook($status2[0]; "audit"))"; hook($status2[0]; "audit")
      | .attached and .hook == "tp_btf/consume_skb" and .submitted == 2 and .refused == 1),
    must("the login by the tracepoint: \(told($rows2))"; told($rows2) == a_login),
    must("the forged one by the tracepoint: \(forged($alerts2))"; forged($alerts2) == by_the_user),
    # That others ran shows that the kernel counted.
    must("loads that never touch audit run its best rung not once: \($unrelated[0].hooks)";
      runs($unrelated; "fork") > 0 and runs($unrelated; "audit") == 0 and runs($unrelated; "audit_verdict") == 0),
    must("and its second one: \($unrelated2[0].hooks)"; runs($unrelated2; "audit") > 0),
    # Where tasks are preempted in the middle of programs, the kernel leaves out what nobody can make good: little of it, and not
    # one uncounted.
    must("each exec of a crowd once, or counted as lost: \(told_of_crowd) told, \(hook2("exec"))";
      told_of_crowd as $told | hook2("exec").recursion_misses as $lost
      | $told.all == $told.each and $told.each + $lost >= 240 and $lost <= (if $version < [6, 12] then 0 else 5 end)),
    must("each user that one of a crowd became once, or counted as lost: \(told_of_users) told, \(hook2("credential_change"))";
      told_of_users as $told | hook2("credential_change").recursion_misses as $lost
      | if wanted.credential_change then $told.all == $told.each and $told.each + $lost >= 60 else $told.all == 0 end),
    must("each mount of a crowd once, or counted as lost: \(told_of_mounts) told, \(hook2("containment"))";
      told_of_mounts as $told | (hook2("containment") | .recursion_misses + .failed) as $lost
      | $told.whole <= $told.each and $told.each + $lost >= 30
        # Where a task that was preempted in the middle has the place in which the path is made, it is one that may be any.
        and $told.whole + (if preempts then $told["in doubt"] else 0 end) == $told.all),
    # What a user repeats that cannot be run leaves room for what runs; what is not told of it is counted. Where a task is
    # preempted in the middle, it has the place where the record is made, and some fails.
    must("the failing execs beside the crowd take no room from it: \([hook2("fork", "exec", "exit")])";
      [hook2("fork", "exec", "exit") | .ring_full + .over_budget + .failed] == [0, 0, 0]),
    must("they are told within their budget, or counted: \(failing), in \($facts.crowd_seconds) s";
      if failing == null then wanted.exec_failed | not
      else failing | .seen > (if wanted.exec_not_opened then 10000 else 1000 end) and .submitted > 0
        and (.failed == 0 or preempts)
        and .seen == .submitted + .ring_full + .over_budget + .filtered + .failed
        and .submitted <= ($facts.crowd_seconds + 2) * budget end),
    (wanted | to_entries[] | must("\(.key) is\(if .value then "" else " not" end) attached"; hook(.key).attached == .value)),
    ($status.hooks[]? | must("what was seen is accounted for: \(.)";
      .seen == .submitted + .ring_full + .over_budget + .filtered + .failed and .failed == 0 and .ring_full == 0 and .over_budget == 0)),
    (["fork", "exec", "exit", "baseline", "audit"][] | must("\(.) ran"; hook(.).submitted > 0)),
    must("no losses: \($status.losses)"; [$status.losses[]? | select(preempted | not)] == []),
    must("the status names the kernel: \($status.kernel)"; $status.kernel == $facts.release),
    if $version == [5, 10] then
      must("a throttle that goes on, whatever the time of day: \(throttled)";
        throttled == ["clock-0", "clock--86400", "clock-2592000"]),
      must("alerts that wait, and none that a clock has aged: \([waits($clock), waits($clock_next)])";
        [waits($clock), waits($clock_next)] == [[true, 0], [true, 0]]),
      must("each step of the clock said once: \([said("back"), said("forward")])"; [said("back"), said("forward")] == [1, 1])
    else empty end,
    must("the exit code after SIGTERM: \($facts.exit)"; $facts.exit == 0)
  ] as $wrong
| {
    $wrong,
    cells: [
      $facts.release // $name,
      (["fork", "exec", "exit", "baseline", "exec_failed", "exec_not_opened"][]
        | hook(.) | if .attached then .hook | split("/")[0] else "–" end),
      (hook("audit") | if .attached then .hook else "–" end),
      (runs($unrelated; "audit") | tostring),
      (hook($status2[0]; "audit") | if .attached then .hook else "–" end),
      (hook("module_load") | if .attached then .hook + (if $facts.module then "" else " (none at hand to load)" end) else "–" end),
      (hook("bpf_load") | if .attached then .hook else "–" end),
      (hook("credential_change") | if .attached then .hook else "–" end),
      (hook("trace") | if .attached then .hook else "–" end),
      (hook("containment") | if .attached then .hook else "–" end),
      (hook("memory_exec") | if .attached then .hook else "–" end),
      (if $wrong == [] then "yes" else "**no**" end),
      (if $facts.exit == 0 then "clean" else "**\($facts.exit)**" end)
    ]
  }
