//! What can be said of every event: when and where it happened, and of the process that did it.

use crate::EventType;
use crate::field::{IDS, Integer, PIDS, Type, Values, any, fields, process};
use crate::words::{Word as _, words};

words! {
    /// What runs a container, as far as the name of its control group tells.
    Runtime {
        Docker = "docker",
        Containerd = "containerd",
        CriO = "cri-o",
        Podman = "podman",
        Buildkit = "buildkit",
        Buildah = "buildah",
        Runc = "runc",
        Crun = "crun",
        Youki = "youki",
        Apptainer = "apptainer",
        Lxc = "lxc",
        LibvirtLxc = "libvirt-lxc",
        SystemdNspawn = "systemd-nspawn",
        Nomad = "nomad",
        Garden = "garden",
        /// Of a container that is one by its namespaces, or has an id under a name that is not known.
        Unknown = "unknown",
    }
}

fields! {
    EVENT_TYPE = any("eventType", "event_type", Type::Word(EventType::WORDS), "What happened.");
    TIME = any("time", "unix_nano_timestamp", Type::Time, "When it happened, nanoseconds since the Unix epoch.");
    SENSOR_ID = any("sensorId", "sensor_id", Type::Text, "The sensor that saw it.");
    HOSTNAME = any("hostname", "hostname", Type::Text, "The host's name.");
    PROCESS_UUID = process("processUuid", "process_uuid", Type::Text, "A name of the process that no other ever has.")
        .values(Values::Uuid);
    SOPHOS_PID = process(
        "sophosPid",
        "sophos_pid",
        Type::Text,
        "The process as PID:START, START in nanoseconds of the boot clock.",
    )
    .values(Values::PidAndStart);
    PROCESS_PID = process("processPid", "pid", Type::Number, "The process's id in the initial pid namespace.")
        .values(PIDS);
    PARENT_PID = process("parentPid", "ppid", Type::Number, "The parent's id, as it was at the fork.").values(PIDS);
    PARENT_PROCESS_UUID = process("parentProcessUuid", "parent_process_uuid", Type::Text, "The parent's process_uuid.")
        .values(Values::Uuid);
    NAMESPACE_PID = process("namespacePid", "ns_pid", Type::Number, "The process's id in its own pid namespace.")
        .values(PIDS);
    PROGRAM_NAME = process(
        "programName",
        "path",
        Type::Path,
        "The executed file as the kernel resolved it; of a script, its interpreter; of a failed exec, the file that was asked for, if it could be opened. One that cannot be told whole begins with `…`.",
    )
    .values(Values::FromRoot);
    HOST_PATH = process(
        "hostPath",
        "host_path",
        Type::Path,
        "Where the host has the executed file: programName, or the place of the same file outside of the namespace; absent if the host has it nowhere.",
    )
    .values(Values::FromRoot);
    IS_HOST_MOUNTS = process(
        "isHostMounts",
        "is_host_mounts",
        Type::Bool,
        "Whether the program's file was run from the host's own mounts, those of pid 1, so that programName is the host's.",
    );
    IS_USER_MOUNTS = process(
        "isUserMounts",
        "is_user_mounts",
        Type::Bool,
        "Whether it was run from mounts that a user could make: of a mount namespace that belongs to a user namespace. programName is what that user wants it to be.",
    );
    PATH_TRUNCATED = process(
        "pathTruncated",
        "path_truncated",
        Type::Bool,
        "Whether programName lacks its beginning, and so begins with `…`: too deep or too long to be told whole, or on a mount that is in nobody's tree.",
    );
    NAME = process("name", "name", Type::Text, "The last part of programName.").values(Values::LastPart);
    PARENT_PROGRAM_NAME = process("parentProgramName", "parent_path", Type::Path, "The parent's programName.")
        .values(Values::FromRoot);
    FILE_PATH = process(
        "filePath",
        "file_path",
        Type::Path,
        "The file given to execve, as it was given; of a failed exec, the file asked for. Of an event about a file, that file, as the kernel resolved it; one that cannot be told whole begins with `…`.",
    );
    SCRIPT_PATH = process(
        "scriptPath",
        "script_path",
        Type::Path,
        "The script that was run, as the kernel resolved it; absent for other programs. Also a file without a #! line that the kernel refused to the program, which may read it itself.",
    )
    .values(Values::FromRoot);
    INTERPRETER = process("interpreter", "interpreter", Type::Path, "The interpreter that a script's #! line names.");
    COMMAND_LINE = process(
        "commandLine",
        "cmdline",
        Type::Text,
        "All arguments, joined by blanks; empty if all of them are.",
    );
    ARGS = process("args", "args", Type::Texts, "Each argument, the program's own name first.");
    ARGS_COUNT = process("argsCount", "argc", Type::Number, "How many arguments were given, kept or not.");
    ARGS_BYTES = process("argsBytes", "args_bytes", Type::Size, "Size of all arguments, bytes, kept or not.");
    ARGS_TRUNCATED = process(
        "argsTruncated",
        "args_truncated",
        Type::Bool,
        "Whether the middle of the arguments was cut out.",
    );
    ARGS_READ_LATE = process(
        "argsReadLate",
        "args_read_late",
        Type::Bool,
        "Whether the arguments were read when the program was running already, and so are what it has left or written there: it ran before the sensor, or its exec was lost.",
    );
    CWD = process(
        "cwd",
        "cwd",
        Type::Path,
        "The working directory at the exec. One too deep to be told whole begins with `…`.",
    )
    .values(Values::FromRoot);
    CWD_TRUNCATED = process(
        "cwdTruncated",
        "cwd_truncated",
        Type::Bool,
        "Whether cwd lacks its beginning, and so begins with `…`.",
    );
    PARENTS = process("parents", "parents", Type::Numbers, "The pids of the ancestors, nearest first.").values(PIDS);
    LINEAGE_TRUNCATED = process(
        "lineageTruncated",
        "lineage_truncated",
        Type::Bool,
        "Whether ancestors are missing: of more than 64 that each ran something, or above a process that was not seen.",
    );
    UID = process("uid", "uid", Type::Number, "Real user id.").values(IDS);
    GID = process("gid", "gid", Type::Number, "Real group id.").values(IDS);
    EUID = process("euid", "euid", Type::Number, "Effective user id.").values(IDS);
    EGID = process("egid", "egid", Type::Number, "Effective group id.").values(IDS);
    USER_NAME = process("userName", "username", Type::Text, "Login name of uid; absent when it is not known.");
    LOGIN_UID = process(
        "loginUid",
        "loginuid",
        Type::Number,
        "The user id that logged in, also after su or sudo; absent outside a login.",
    )
    .values(IDS);
    SESSION_ID = process("sessionId", "session_id", Type::Number, "The audit session; absent outside a login.")
        .values(IDS);
    LOGIN_ADDRESS = process(
        "loginAddress",
        "login_address",
        Type::Address,
        "Where the user of the session logged in from; absent when that was local, or before the sensor started.",
    );
    LOGIN_ACCOUNT = process(
        "loginAccount",
        "login_account",
        Type::Text,
        "The account that the session began with, also after su or sudo.",
    );
    LOGIN_TERMINAL = process(
        "loginTerminal",
        "login_terminal",
        Type::Text,
        "The terminal that the session began on, such as pts/3, ssh or cron.",
    )
    .values(Values::Terminal);
    LOGIN_PROGRAM = process(
        "loginProgram",
        "login_program",
        Type::Path,
        "The program that let the user in, such as /usr/sbin/sshd (since OpenSSH 9.8 sshd-session).",
    )
    .values(Values::FromRoot);
    CAP_EFFECTIVE = process(
        "capEffective",
        "cap_effective",
        Type::Number,
        "Effective capabilities, one bit each (capabilities(7)).",
    )
    .integers(Integer::Int64);
    TTY = process("tty", "tty", Type::Text, "The controlling terminal, such as pts/3.").values(Values::Terminal);
    IS_TTY = process("isTty", "is_tty", Type::Bool, "Whether there is a controlling terminal.");
    IS_MEMFD = process("isMemfd", "is_memfd", Type::Bool, "Whether the program was run from memory (memfd_create).");
    IS_DELETED = process(
        "isDeleted",
        "is_deleted",
        Type::Bool,
        "Whether the program's file was deleted before it was run.",
    );
    IS_UPPER_LAYER = process(
        "isUpperLayer",
        "is_upper_layer",
        Type::Bool,
        "Whether the program was written since its container started (overlay upper layer).",
    );
    IS_OWN = process(
        "isOwn",
        "is_own",
        Type::Bool,
        "Whether the sensor itself started the process, to see whether it sees it. No other program can claim that.",
    );
    IS_SETUID = process(
        "isSetuid",
        "is_setuid",
        Type::Bool,
        "Whether the program's file has the setuid or setgid bit.",
    );
    IS_SECURE_EXEC = process("isSecureExec", "is_secure_exec", Type::Bool, "Whether the exec raised privileges.");
    FILE_OWNER = process("fileOwner", "file_uid", Type::Number, "User id of the program file's owner.").values(IDS);
    FILE_MODE = process("fileMode", "file_mode", Type::Number, "Mode bits of the program's file (inode(7)).")
        .values(Values::Within(&[0..=0xffff]));
    DEVICE = process(
        "device",
        "device",
        Type::Number,
        "Device of the program's file as stat(2) numbers it; with inode, the same file under any name.",
    )
    .integers(Integer::Int64);
    INODE = process("inode", "inode", Type::Number, "Inode number of the program's file.").integers(Integer::Int64);
    CGROUP_ID = process("cgroupId", "cgroup_id", Type::Number, "Id of the control group.").integers(Integer::Int64);
    PID_NAMESPACE = process("pidNamespace", "pid_ns", Type::Number, "The pid namespace.");
    MOUNT_NAMESPACE = process("mountNamespace", "mnt_ns", Type::Number, "The mount namespace.");
    NETWORK_NAMESPACE = process("networkNamespace", "net_ns", Type::Number, "The network namespace.");
    USER_NAMESPACE = process("userNamespace", "user_ns", Type::Number, "The user namespace.");
    IS_CONTAINER = process(
        "isContainer",
        "is_container",
        Type::Bool,
        "Whether the process runs in a container; absent where that could not be told.",
    );
    CONTAINER_ID = process("containerId", "container_id", Type::Text, "Id of the container.")
        .values(Values::ContainerId);
    CONTAINER_RUNTIME = process(
        "containerRuntime",
        "container_runtime",
        Type::Word(Runtime::WORDS),
        "What runs the container, as far as the name of its control group tells; else `unknown`.",
    );
    CONTAINER_NAME = process(
        "containerName",
        "container_name",
        Type::Text,
        "Name of the container. Like all that follows here on containers it is what the runtime says, and absent when none says anything.",
    );
    CONTAINER_LABELS = process(
        "containerLabels",
        "container_labels",
        Type::Texts,
        "Each label of the container as KEY=VALUE, the first 64 in the order of their keys.",
    );
    IS_PRIVILEGED = process(
        "isPrivileged",
        "is_privileged",
        Type::Bool,
        "Whether the container was started as a privileged one.",
    );
    HOST_NAMESPACES = process(
        "hostNamespaces",
        "host_namespaces",
        Type::Texts,
        "Which of the host's namespaces the container shares, of `ipc`, `net`, `pid` and `uts`.",
    );
    CONTAINER_MOUNTS = process(
        "containerMounts",
        "container_mounts",
        Type::Texts,
        "What the container has of the host's files and folders, each as SOURCE:DESTINATION, the first 64; volumes that the runtime keeps are none.",
    );
    IMAGE_ID = process(
        "imageId",
        "image_id",
        Type::Text,
        "Id of the container's image, `sha256:` and 64 digits: the same on each host that has the image.",
    );
    IMAGE_NAME = process(
        "imageName",
        "image_name",
        Type::Text,
        "Name of the container's image as the container was asked for, without tag and digest: nginx, registry.example.test/web.",
    );
    IMAGE_TAG = process("imageTag", "image_tag", Type::Text, "Tag of the container's image, as it was asked for.");
    IMAGE_DIGEST = process(
        "imageDigest",
        "image_digest",
        Type::Text,
        "Digest of the image's manifest, `sha256:` and 64 digits, as registries name it; absent where the runtime has none, as of images that Docker has built.",
    );
    KUBERNETES_POD = process("kubernetesPod", "kubernetes_pod", Type::Text, "Name of the container's pod.");
    KUBERNETES_NAMESPACE = process(
        "kubernetesNamespace",
        "kubernetes_namespace",
        Type::Text,
        "Kubernetes namespace of the container's pod.",
    );
    INCIDENT_ID = process(
        "incidentId",
        "incident_id",
        Type::Text,
        "The incident that the process is part of, once an alert was raised on it or an ancestor.",
    )
    .values(Values::Uuid);
}
