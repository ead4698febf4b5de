//! Messages to the kernel's audit.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Hook, point};
use crate::offsets::facts;
use crate::record::kind;
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "audit",
    ring: Ring::Audit,
    sources: &[
        // Messages sent to the kernel's audit, whichever hook tells them. The budget is for those that it refuses: what is
        // beyond is counted as filtered, as a forged message more is no loss.
        SourceSpec::new("audit").budget(Budget::per_second(1_000)),
        // The kernel's own verdicts on audit messages.
        SourceSpec::new("audit_verdict"),
    ],
    hooks: &[
        Hook::new(Source::Audit, "audit_receive", point!(fexit "audit_receive"))
            .needs(NEEDED_AT_FUNCTIONS)
            .missed("whether the kernel took an audit message is judged by its own condition, not heard from it"),
        Hook {
            // What interrupts it is a packet's arrival, which is no audit message.
            recursion_loses: false,
            ..Hook::new(Source::Audit, "consume_skb", point!(tp_btf "consume_skb"))
                .rung(2)
                .needs(NEEDED)
                .missed("audit messages are seen only while the kernel's audit is on, or not at all")
        },
        Hook::new(Source::AuditVerdict, "netlink_capable", point!(fexit "netlink_capable"))
            .needs(NEEDED_FOR_VERDICTS)
            .missed("what a security module refuses among audit messages is not known"),
    ],
    facts: FACTS,
    records: &[kind::AUDIT],
};

/// What each of the programs needs. Without audit in the kernel there is nobody to send messages to: that is the last one.
const NEEDED: &[&str] = &[
    "skb_sk",
    "skb_data",
    "skb_len",
    "skb_data_len",
    "skb_cb",
    "sock_family",
    "sock_protocol",
    "netlink_portid",
    "netlink_cb_flags",
    "task_loginuid",
];
const NEEDED_AT_FUNCTIONS: &[&str] = &with("audit_receive_parameters");
const NEEDED_FOR_VERDICTS: &[&str] = &with("netlink_capable_parameters");

const fn with(function: &'static str) -> [&'static str; NEEDED.len() + 1] {
    crate::concat(&[NEEDED, &[function]], "")
}

facts! {
    // CONFIG_AUDIT: without it there is nobody to send audit messages to.
    optional skb_sk = Member("sk_buff", "sk");
    optional skb_data = Member("sk_buff", "data");
    optional skb_len = Member("sk_buff", "len");
    optional skb_data_len = Member("sk_buff", "data_len");
    optional skb_cb = Member("sk_buff", "cb");
    optional socket_file = Member("socket", "file");
    optional file_cred = Member("file", "f_cred");
    optional netlink_portid = Member("netlink_sock", "portid");
    optional netlink_cb_flags = Member("netlink_skb_parms", "flags");
    optional netlink_cb_sk = Member("netlink_skb_parms", "sk");
    optional audit_receive_parameters = Parameters("audit_receive");
    optional netlink_capable_parameters = Parameters("netlink_capable");
}
