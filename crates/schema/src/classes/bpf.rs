//! BPF programs.

use crate::field::{Role, Type, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "bpf";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::BpfLoad,
    word: "BPF_EVENT_TYPE_LOAD",
    activity: Some(Activity::KernelExtension),
    outcome: Some(Outcome::Success),
    reach: Reach::Host,
    parts: &[&BPF_NAME, &BPF_ID, &BPF_TYPE, &BPF_ATTACH_TYPE, &BPF_TARGET, &BPF_TAG],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "bpfExec", sees: &[EventType::BpfLoad] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// What a BPF program is for: `enum bpf_prog_type` of Linux, each at its number.
    ProgramType {
        Unspec = "unspec",
        SocketFilter = "socket_filter",
        Kprobe = "kprobe",
        SchedCls = "sched_cls",
        SchedAct = "sched_act",
        Tracepoint = "tracepoint",
        Xdp = "xdp",
        PerfEvent = "perf_event",
        CgroupSkb = "cgroup_skb",
        CgroupSock = "cgroup_sock",
        LwtIn = "lwt_in",
        LwtOut = "lwt_out",
        LwtXmit = "lwt_xmit",
        SockOps = "sock_ops",
        SkSkb = "sk_skb",
        CgroupDevice = "cgroup_device",
        SkMsg = "sk_msg",
        RawTracepoint = "raw_tracepoint",
        CgroupSockAddr = "cgroup_sock_addr",
        LwtSeg6local = "lwt_seg6local",
        LircMode2 = "lirc_mode2",
        SkReuseport = "sk_reuseport",
        FlowDissector = "flow_dissector",
        CgroupSysctl = "cgroup_sysctl",
        RawTracepointWritable = "raw_tracepoint_writable",
        CgroupSockopt = "cgroup_sockopt",
        Tracing = "tracing",
        StructOps = "struct_ops",
        Ext = "ext",
        Lsm = "lsm",
        SkLookup = "sk_lookup",
        Syscall = "syscall",
        Netfilter = "netfilter",
        /// One that came after this sensor.
        Unknown = "unknown",
    }
}

words! {
    /// Where a BPF program is to be attached: `enum bpf_attach_type` of Linux, each at its number.
    AttachType {
        CgroupInetIngress = "cgroup_inet_ingress",
        CgroupInetEgress = "cgroup_inet_egress",
        CgroupInetSockCreate = "cgroup_inet_sock_create",
        CgroupSockOps = "cgroup_sock_ops",
        SkSkbStreamParser = "sk_skb_stream_parser",
        SkSkbStreamVerdict = "sk_skb_stream_verdict",
        CgroupDevice = "cgroup_device",
        SkMsgVerdict = "sk_msg_verdict",
        CgroupInet4Bind = "cgroup_inet4_bind",
        CgroupInet6Bind = "cgroup_inet6_bind",
        CgroupInet4Connect = "cgroup_inet4_connect",
        CgroupInet6Connect = "cgroup_inet6_connect",
        CgroupInet4PostBind = "cgroup_inet4_post_bind",
        CgroupInet6PostBind = "cgroup_inet6_post_bind",
        CgroupUdp4Sendmsg = "cgroup_udp4_sendmsg",
        CgroupUdp6Sendmsg = "cgroup_udp6_sendmsg",
        LircMode2 = "lirc_mode2",
        FlowDissector = "flow_dissector",
        CgroupSysctl = "cgroup_sysctl",
        CgroupUdp4Recvmsg = "cgroup_udp4_recvmsg",
        CgroupUdp6Recvmsg = "cgroup_udp6_recvmsg",
        CgroupGetsockopt = "cgroup_getsockopt",
        CgroupSetsockopt = "cgroup_setsockopt",
        TraceRawTp = "trace_raw_tp",
        TraceFentry = "trace_fentry",
        TraceFexit = "trace_fexit",
        ModifyReturn = "modify_return",
        LsmMac = "lsm_mac",
        TraceIter = "trace_iter",
        CgroupInet4Getpeername = "cgroup_inet4_getpeername",
        CgroupInet6Getpeername = "cgroup_inet6_getpeername",
        CgroupInet4Getsockname = "cgroup_inet4_getsockname",
        CgroupInet6Getsockname = "cgroup_inet6_getsockname",
        XdpDevmap = "xdp_devmap",
        CgroupInetSockRelease = "cgroup_inet_sock_release",
        XdpCpumap = "xdp_cpumap",
        SkLookup = "sk_lookup",
        Xdp = "xdp",
        SkSkbVerdict = "sk_skb_verdict",
        SkReuseportSelect = "sk_reuseport_select",
        SkReuseportSelectOrMigrate = "sk_reuseport_select_or_migrate",
        PerfEvent = "perf_event",
        TraceKprobeMulti = "trace_kprobe_multi",
        LsmCgroup = "lsm_cgroup",
        StructOps = "struct_ops",
        Netfilter = "netfilter",
        TcxIngress = "tcx_ingress",
        TcxEgress = "tcx_egress",
        TraceUprobeMulti = "trace_uprobe_multi",
        CgroupUnixConnect = "cgroup_unix_connect",
        CgroupUnixSendmsg = "cgroup_unix_sendmsg",
        CgroupUnixRecvmsg = "cgroup_unix_recvmsg",
        CgroupUnixGetpeername = "cgroup_unix_getpeername",
        CgroupUnixGetsockname = "cgroup_unix_getsockname",
        NetkitPrimary = "netkit_primary",
        NetkitPeer = "netkit_peer",
        TraceKprobeSession = "trace_kprobe_session",
        TraceUprobeSession = "trace_uprobe_session",
        /// One that came after this sensor.
        Unknown = "unknown",
    }
}

impl ProgramType {
    /// The type of Linux's number.
    #[must_use]
    pub fn of(number: u32) -> Self {
        Self::ALL.get(number as usize).copied().unwrap_or(Self::Unknown)
    }
}

impl AttachType {
    /// Where a program of this type is to be attached, by Linux's number. Most types have one place alone, and for these the
    /// kernel keeps a zero, which is also the number of a place of [`ProgramType::CgroupSkb`].
    #[must_use]
    pub fn of(program: ProgramType, number: u32) -> Option<Self> {
        let is_told = number != 0 || program == ProgramType::CgroupSkb;
        is_told.then(|| Self::ALL.get(number as usize).copied().unwrap_or(Self::Unknown))
    }
}

fields! {
    BPF_NAME = event(
        Class::Bpf,
        "bpfName",
        "bpf_name",
        Type::Text,
        "What the maker of a BPF program calls it, up to 15 bytes; absent if it has no name.",
    )
    .role(Role::Object);
    BPF_ID = event(Class::Bpf, "bpfId", "bpf_id", Type::Number, "The kernel's id of a BPF program.");
    BPF_TYPE = event(
        Class::Bpf,
        "bpfType",
        "bpf_type",
        Type::Word(ProgramType::WORDS),
        "What a BPF program is for (`enum bpf_prog_type`, as bpftool writes it).",
    );
    BPF_ATTACH_TYPE = event(
        Class::Bpf,
        "bpfAttachType",
        "bpf_attach_type",
        Type::Word(AttachType::WORDS),
        "Where a BPF program is to be attached, of those types that can be attached at several places.",
    );
    BPF_TARGET = event(
        Class::Bpf,
        "bpfTarget",
        "bpf_target",
        Type::Text,
        "The kernel function or tracepoint that a BPF program is for, of those types that tell it when they are loaded.",
    );
    BPF_INSTRUCTIONS = event(
        Class::Bpf,
        "bpfInstructions",
        "bpf_instructions",
        Type::Number,
        "How many instructions a BPF program has, as the verifier left them.",
    );
    BPF_TAG = event(
        Class::Bpf,
        "bpfTag",
        "bpf_tag",
        Type::Text,
        "A digest of a BPF program's instructions, 16 hexadecimal digits, as bpftool shows it.",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of `include/uapi/linux/bpf.h`, from both ends and the middle of the lists.
    #[test]
    fn words_stand_at_their_numbers() {
        for (number, word) in [(1, "socket_filter"), (17, "raw_tracepoint"), (26, "tracing"), (32, "netfilter")] {
            assert_eq!(ProgramType::of(number).word(), word);
        }
        for (number, word) in
            [(6, "cgroup_device"), (25, "trace_fexit"), (41, "perf_event"), (57, "trace_uprobe_session")]
        {
            assert_eq!(AttachType::of(ProgramType::Tracing, number).unwrap().word(), word);
        }
        assert_eq!(ProgramType::of(u32::MAX), ProgramType::Unknown);
        assert_eq!(AttachType::of(ProgramType::Tracing, u32::MAX), Some(AttachType::Unknown));
    }

    #[test]
    fn a_zero_is_a_place_of_one_type_alone() {
        assert_eq!(AttachType::of(ProgramType::Kprobe, 0), None);
        assert_eq!(AttachType::of(ProgramType::CgroupSkb, 0), Some(AttachType::CgroupInetIngress));
    }
}
