//! Where the running kernel keeps what the programs read.
//!
//! Structures of the kernel move their members from release to release. The agent reads the running kernel's own
//! description of its types (BTF, `/sys/kernel/btf/vmlinux`), looks up everything in [`ALL`], and hands the
//! answers to the programs as one read-only global of type [`All`] before the load. The map behind that
//! global is frozen, so the verifier knows each value: an access is checked like one compiled for this very
//! kernel, and a branch on an absent member is pruned as dead code.
//!
//! Here stands what several classes read; what one alone reads stands in its file. No other place names a kernel member.

use crate::classes;

/// Marks a member that the running kernel does not have; the code that needs it is pruned as dead.
pub const ABSENT: u32 = u32::MAX;

/// Something to be looked up in the kernel's BTF. Paths may lead through nested and anonymous members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Byte offset of a member in a structure.
    Member(&'static str, &'static str),
    /// *Bit* offset of a bit field in a structure.
    Bit(&'static str, &'static str),
    /// Size of a structure in bytes.
    Size(&'static str),
    /// Value of an enumerator.
    Value(&'static str, &'static str),
    /// An argument of a tracepoint, by its index, if it is there and a `bool`; BTF does not keep its name. The value is the
    /// index.
    Flag(&'static str, u32),
    /// Number of parameters of a function.
    Parameters(&'static str),
    /// Number of a function among the types.
    Function(&'static str),
}

/// One entry of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Name of the field.
    pub name: &'static str,
    /// Whether the programs can do without.
    pub required: bool,
    /// Where it is, the first that exists counts: members were renamed over time.
    pub sources: &'static [Source],
}

/// Declares facts, and the type of the answers to them.
macro_rules! facts {
    ($($(#[$doc:meta])* $need:ident $field:ident = $($sort:ident($($of:expr),+)),+ ;)*) => {
        /// The answers: [`ABSENT`](crate::offsets::ABSENT) where the running kernel has none.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Offsets {
            $(pub $field: u32,)*
        }

        impl Offsets {
            /// Nothing known.
            pub(crate) const NONE: Self = Self { $($field: $crate::offsets::ABSENT,)* };
        }

        /// What to look up, in the order of the fields of [`Offsets`].
        const FACTS: &[$crate::offsets::Fact] = &[
            $($crate::offsets::Fact {
                name: stringify!($field),
                required: $crate::offsets::facts!(@$need),
                sources: &[$($crate::offsets::Source::$sort($($of),+)),+],
            },)*
        ];
    };
    (@required) => { true };
    (@optional) => { false };
}
pub(crate) use facts;

/// The answers to all facts, as the programs have them: those of all classes, and those of each.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct All {
    pub shared: Offsets,
    pub of: classes::Offsets,
}

impl All {
    /// Nothing known.
    pub const NONE: Self = Self { shared: Offsets::NONE, of: classes::Offsets::NONE };
    /// How many there are.
    pub const COUNT: usize = FACTS.len() + crate::total(classes::FACTS);
}

/// What to look up, in the order of [`All`].
pub const ALL: [Fact; All::COUNT] = {
    let parts: [&[Fact]; 1 + classes::FACTS.len()] = crate::concat(&[&[FACTS], classes::FACTS], FACTS);
    crate::concat(&parts, FACTS[0])
};

const _: () = assert!(size_of::<All>() == ALL.len() * size_of::<u32>());

facts! {
    required task_pid = Member("task_struct", "pid");
    required task_tgid = Member("task_struct", "tgid");
    required task_comm = Member("task_struct", "comm");
    required task_self_exec_id = Member("task_struct", "self_exec_id");
    required task_flags = Member("task_struct", "flags");
    required task_exit_code = Member("task_struct", "exit_code");
    required task_group_leader = Member("task_struct", "group_leader");
    required task_real_parent = Member("task_struct", "real_parent");
    // `real_start_time` until Linux 5.5.
    required task_start_boottime = Member("task_struct", "start_boottime");
    required task_cred = Member("task_struct", "cred");
    required task_signal = Member("task_struct", "signal");
    required task_nsproxy = Member("task_struct", "nsproxy");
    required task_thread_pid = Member("task_struct", "thread_pid");
    required task_mm = Member("task_struct", "mm");
    required task_fs = Member("task_struct", "fs");
    // Work put off to the return to user space. Without it, scripts have the name that they were given by alone.
    optional task_works = Member("task_struct", "task_works");
    // x86 alone: whether a call is one of 32 bits.
    optional thread_info_status = Member("task_struct", "thread_info.status");
    // The number of a system call, on x86 and the 64 bit ARM.
    optional regs_call = Member("pt_regs", "orig_ax"), Member("pt_regs", "syscallno");
    // CONFIG_AUDIT.
    optional task_loginuid = Member("task_struct", "loginuid");
    optional task_sessionid = Member("task_struct", "sessionid");
    // CONFIG_CGROUPS.
    optional task_cgroups = Member("task_struct", "cgroups");

    required cred_uid = Member("cred", "uid");
    required cred_gid = Member("cred", "gid");
    required cred_euid = Member("cred", "euid");
    required cred_egid = Member("cred", "egid");
    // Two u32 until Linux 6.2, one u64 since: the same eight bytes.
    required cred_cap_effective = Member("cred", "cap_effective");
    required cred_user_ns = Member("cred", "user_ns");

    required signal_live = Member("signal_struct", "live");
    required signal_flags = Member("signal_struct", "flags");
    required signal_group_exit_code = Member("signal_struct", "group_exit_code");
    required signal_tty = Member("signal_struct", "tty");
    required tty_name = Member("tty_struct", "name");

    required nsproxy_mnt_ns = Member("nsproxy", "mnt_ns");
    required nsproxy_net_ns = Member("nsproxy", "net_ns");
    // CONFIG_CGROUPS.
    optional nsproxy_cgroup_ns = Member("nsproxy", "cgroup_ns");
    optional cgroup_ns_inum = Member("cgroup_namespace", "ns.inum");
    optional cgroup_ns_root_cset = Member("cgroup_namespace", "root_cset");
    required pid_level = Member("pid", "level");
    required pid_numbers = Member("pid", "numbers");
    required upid_nr = Member("upid", "nr");
    required upid_ns = Member("upid", "ns");
    required upid_size = Size("upid");
    required pid_ns_child_reaper = Member("pid_namespace", "child_reaper");
    required pid_ns_inum = Member("pid_namespace", "ns.inum");
    required pid_ns_user_ns = Member("pid_namespace", "user_ns");
    required mnt_ns_inum = Member("mnt_namespace", "ns.inum");
    required mnt_ns_user_ns = Member("mnt_namespace", "user_ns");
    required net_inum = Member("net", "ns.inum");
    required user_ns_inum = Member("user_namespace", "ns.inum");
    required user_ns_level = Member("user_namespace", "level");
    required user_ns_parent = Member("user_namespace", "parent");
    required user_ns_owner = Member("user_namespace", "owner");

    required mm_arg_start = Member("mm_struct", "arg_start");
    required mm_arg_end = Member("mm_struct", "arg_end");
    required mm_exe_file = Member("mm_struct", "exe_file");
    required fs_root_dentry = Member("fs_struct", "root.dentry");
    required fs_pwd_mnt = Member("fs_struct", "pwd.mnt");
    required fs_pwd_dentry = Member("fs_struct", "pwd.dentry");

    required bprm_file = Member("linux_binprm", "file");
    required bprm_filename = Member("linux_binprm", "filename");
    required bprm_interp = Member("linux_binprm", "interp");
    required bprm_argc = Member("linux_binprm", "argc");
    required bprm_envc = Member("linux_binprm", "envc");
    required bprm_secureexec = Bit("linux_binprm", "secureexec");
    // AT_EXECVE_CHECK, Linux 6.14.
    optional bprm_is_check = Bit("linux_binprm", "is_check");

    required file_path_mnt = Member("file", "f_path.mnt");
    required file_path_dentry = Member("file", "f_path.dentry");
    required file_inode = Member("file", "f_inode");
    // Where its putting off is noted: the first since Linux 6.13, the second since 6.0.
    optional file_task_work = Member("file", "f_task_work"), Member("file", "f_rcuhead"), Member("file", "f_u.fu_rcuhead");
    required inode_ino = Member("inode", "i_ino");
    required inode_sb = Member("inode", "i_sb");
    required inode_mode = Member("inode", "i_mode");
    required inode_uid = Member("inode", "i_uid");
    required inode_nlink = Member("inode", "i_nlink");
    // A timespec64 `i_ctime` until 6.5, `__i_ctime` until 6.10, then two members.
    required inode_ctime_sec = Member("inode", "i_ctime_sec"), Member("inode", "__i_ctime.tv_sec"),
        Member("inode", "i_ctime.tv_sec");
    required inode_ctime_nsec = Member("inode", "i_ctime_nsec"), Member("inode", "__i_ctime.tv_nsec"),
        Member("inode", "i_ctime.tv_nsec");
    required inode_size = Size("inode");
    required sb_dev = Member("super_block", "s_dev");
    required sb_magic = Member("super_block", "s_magic");

    required dentry_parent = Member("dentry", "d_parent");
    required dentry_inode = Member("dentry", "d_inode");
    required dentry_name = Member("dentry", "d_name");
    // `d_iname` until Linux 6.14.
    optional dentry_short_name = Member("dentry", "d_shortname"), Member("dentry", "d_iname");
    required dentry_hash_pprev = Member("dentry", "d_hash.pprev");
    required qstr_len = Member("qstr", "len");
    required qstr_name = Member("qstr", "name");
    required mount_mnt = Member("mount", "mnt");
    required mount_parent = Member("mount", "mnt_parent");
    required mount_ns = Member("mount", "mnt_ns");
    required mount_mountpoint = Member("mount", "mnt_mountpoint");
    required vfsmount_root = Member("vfsmount", "mnt_root");

    // CONFIG_CGROUPS.
    optional css_set_dfl_cgrp = Member("css_set", "dfl_cgrp");
    optional css_set_subsys = Member("css_set", "subsys");
    optional css_cgroup = Member("cgroup_subsys_state", "cgroup");
    optional cgroup_level = Member("cgroup", "level");
    optional cgroup_kn = Member("cgroup", "kn");
    // Since Linux 6.1.
    optional cgroup_ancestors = Member("cgroup", "ancestors");
    // `__parent` since Linux 6.15.
    optional kernfs_parent = Member("kernfs_node", "__parent"), Member("kernfs_node", "parent");
    optional kernfs_name = Member("kernfs_node", "name");
    optional kernfs_id = Member("kernfs_node", "id");
    // Null as long as the owner, the mode and the times were not changed: then it is root's.
    optional kernfs_iattr = Member("kernfs_node", "iattr");
    optional kernfs_iattr_uid = Member("kernfs_iattrs", "ia_uid");
    // Controllers whose version 1 hierarchy names a container, best first.
    optional subsys_pids = Value("cgroup_subsys_id", "pids_cgrp_id");
    optional subsys_memory = Value("cgroup_subsys_id", "memory_cgrp_id");
    optional subsys_cpu = Value("cgroup_subsys_id", "cpu_cgrp_id");

    required sock_family = Member("sock", "__sk_common.skc_family");
    required sock_protocol = Member("sock", "sk_protocol");
    required sock_socket = Member("sock", "sk_socket");

    // Since Linux 6.16 the tracepoint says itself whether the last thread exits.
    optional exit_group_dead = Flag("sched_process_exit", 1);

    // `(bprm, fd, filename, flags)` until Linux 6.8, then `(bprm)`.
    optional bprm_execve_parameters = Parameters("bprm_execve");
    // `(fd, filename)` until Linux 6.8; then with flags, and it opens the file.
    optional alloc_bprm_parameters = Parameters("alloc_bprm");
    // The helper that failed execs need, Linux 5.11.
    optional current_task_helper = Parameters("bpf_get_current_task_btf");
    optional filename_name = Member("filename", "name");
    // Since Linux 6.2, see `cast`. The agent leaves it out where it does not cast to `void`, which the second says since Linux 6.17.
    optional rdonly_cast = Function("bpf_rdonly_cast");
    optional rdonly_cast_to_void = Value("bpf_features", "BPF_FEAT_RDONLY_CAST_TO_VOID");

    // Registers of a system call, of x86-64 alone.
    optional regs_number = Member("pt_regs", "orig_ax");
    optional regs_di = Member("pt_regs", "di");
    optional regs_si = Member("pt_regs", "si");
    optional regs_dx = Member("pt_regs", "dx");
    optional regs_r10 = Member("pt_regs", "r10");
    optional regs_r8 = Member("pt_regs", "r8");
    optional regs_bx = Member("pt_regs", "bx");
    optional regs_cx = Member("pt_regs", "cx");
    optional regs_sp = Member("pt_regs", "sp");
    required regs_size = Size("pt_regs");
    required task_stack = Member("task_struct", "stack");
    // CONFIG_IA32_EMULATION.
    optional compat_calls = Parameters("__ia32_sys_setns");

    required task_files = Member("task_struct", "files");
    required files_fdt = Member("files_struct", "fdt");
    required fdt_max_fds = Member("fdtable", "max_fds");
    required fdt_fd = Member("fdtable", "fd");
    required file_private_data = Member("file", "private_data");
    required inode_private = Member("inode", "i_private");

    required task_pid_links = Member("task_struct", "pid_links");
    required pid_tasks = Member("pid", "tasks");
    // Since Linux 6.9 a descriptor of a process is a file of a file system of its own.
    optional pid_stashed = Member("pid", "stashed");
    required pid_ns_tree = Member("pid_namespace", "idr.idr_rt.xa_head");
    required xa_node_shift = Member("xa_node", "shift");
    required xa_node_slots = Member("xa_node", "slots");
}
