//! The command line of Central.

use std::{
    io::{self, IsTerminal as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use diagnostic::{Appearance, Report, printable};
use sensor_central::{
    clients,
    config::{Config, Flags},
    detections,
    dev::{Crl, Dev},
    fault::{Fault, Faults},
    now, sensors,
    server::Server,
    store::{
        self, Filter, IdType, NewClient, NewToken, Reader, Role,
        backup::{self, Look},
    },
    users,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

type Error = Box<dyn std::error::Error>;

/// Takes in what sensors send, keeps it and shows it.
#[derive(Debug, Parser)]
#[command(name = "sensor-central", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the service. SIGTERM or SIGINT ends it, SIGHUP reads the certificate again.
    Serve {
        /// The configuration, a YAML file.
        #[arg(long)]
        config: Option<PathBuf>,
        #[command(flatten)]
        flags: Flags,
    },
    /// Runs the service for a try on this machine: makes a CA, a certificate, a tenant, a token and a client of its own,
    /// and prints what to put into the sensor's configuration, and what clients of the API log in with.
    Dev {
        /// The folder for all of it; what is in it already is used again.
        #[arg(long)]
        dir: PathBuf,
        /// Where to listen, as ADDRESS:PORT; port 0 takes any that is free.
        #[arg(long, default_value = "127.0.0.1:8443")]
        listen: SocketAddr,
        /// Where the web pages are; by default at the port after that of --listen.
        #[arg(long)]
        web_listen: Option<SocketAddr>,
        /// A fault on purpose, such as status=429,retry-after=1,count=3.
        #[arg(long, hide = true)]
        fault: Vec<Fault>,
        /// What the revocation list says.
        #[arg(long, hide = true, value_enum, default_value_t)]
        crl: Crl,
    },
    /// Lists the alerts that came in, oldest first.
    Detections {
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
        /// Prints each alert's JSON, one per line.
        #[arg(long)]
        json: bool,
        /// Only those of this tenant.
        #[arg(long)]
        tenant: Option<Uuid>,
        /// At most so many, the newest.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Lists the sensors that said hello and what they told of themselves: each a line of JSON.
    Sensors {
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
    },
    /// Makes an access token for sensors and prints it. It is shown this once.
    CreateToken {
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
        /// The tenant that it lets in.
        #[arg(long)]
        tenant: Uuid,
        /// What it is for, 1 to 50 characters.
        #[arg(long, value_parser = label)]
        label: String,
        /// Days until it expires; without it, it never does.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Makes a client of the public API and prints its id and its secret. The secret is shown this once.
    CreateClient {
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
        #[command(flatten)]
        owner: Owner,
        /// What it may do.
        #[arg(long, value_enum, default_value = "super-admin")]
        role: Role,
        /// What it is for, 1 to 50 characters.
        #[arg(long, value_parser = label)]
        label: String,
        /// Days until it expires; without it, it never does.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Lists the clients of the public API.
    Clients {
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
    },
    /// Removes a client of the public API. What it was given lets it in no longer.
    RevokeClient {
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
        /// Its id.
        #[arg(long)]
        id: Uuid,
    },
    /// Says what a tenant is called, and to which partner or organization it belongs.
    SetTenant {
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
        /// Its id.
        #[arg(long)]
        tenant: Uuid,
        /// For people.
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        partner: Option<Uuid>,
        #[arg(long)]
        organization: Option<Uuid>,
    },
    /// Copies the database to a file, also while the service runs, and checks the copy.
    Backup {
        /// The copy; there must be no such file.
        file: PathBuf,
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
    },
    /// Puts a copy in the place of the database, while the service is stopped. What was there is kept beside it.
    Restore {
        /// The copy, as `backup` made it.
        file: PathBuf,
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
    },
    /// Checks a copy, or the database in a folder while the service runs.
    Verify {
        /// The copy, or the folder.
        #[arg(default_value = "/var/lib/sensor-central")]
        file: PathBuf,
    },
    /// Brings the database of an older version forward, as a start of the service does.
    Migrate {
        /// The folder of the database.
        #[arg(long, default_value = "/var/lib/sensor-central")]
        data_dir: PathBuf,
        /// Makes no copy of it beforehand: there is no way back to the older version then.
        #[arg(long)]
        without_backup: bool,
    },
    /// Who may look at the web pages.
    User {
        #[command(subcommand)]
        command: users::Command,
    },
}

/// Whose data a client sees.
#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = false)]
struct Owner {
    /// That of this tenant.
    #[arg(long)]
    tenant: Option<Uuid>,
    /// That of all tenants of this partner.
    #[arg(long)]
    partner: Option<Uuid>,
    /// That of all tenants of this organization.
    #[arg(long)]
    organization: Option<Uuid>,
}

impl Owner {
    fn id(self) -> Option<(IdType, Uuid)> {
        let of = |id_type, id: Option<Uuid>| id.map(|id| (id_type, id));
        of(IdType::Tenant, self.tenant)
            .or(of(IdType::Partner, self.partner))
            .or(of(IdType::Organization, self.organization))
    }
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colors = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colors).init();
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                let _ = writeln!(io::stderr(), "sensor-central: {}", printable(line));
            }
            // `EX_CONFIG` of sysexits.h: trying again does not help.
            if error.is::<Refused>() { ExitCode::from(78) } else { ExitCode::FAILURE }
        }
    }
}

/// What is wrong with the configuration was told before.
#[derive(Debug, thiserror::Error)]
#[error("the configuration was refused; nothing was started")]
struct Refused;

fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::Serve { config, flags } => {
            let mut report = Report::default();
            let config = Config::load(config.as_deref(), &flags, &mut report);
            let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            write!(io::stderr(), "{}", report.render(Appearance::of(&io::stderr(), no_color)))?;
            let config = config.ok_or(Refused)?;
            serve(&config, Faults::default(), |server| {
                let mut out = io::stdout().lock();
                writeln!(out, "listening on https://{}", server.address())?;
                server.web_address().map_or(Ok(()), |address| writeln!(out, "web pages on https://{address}"))
            })
        }
        Command::Dev { dir, listen, web_listen, fault, crl } => {
            let dev = Dev::prepare(&dir, crl)?;
            serve(&dev.config(listen, web_listen), Faults(fault), |server| {
                let (mut out, address) = (io::stdout().lock(), server.address());
                writeln!(out, "# listening on https://{address}\n# For the sensor's runtimedetections.yaml:")?;
                write!(out, "{}", dev.sensor_configuration(address))?;
                let (id, secret) = dev.client();
                writeln!(out, "# For clients of the API:\n#   client_id: {id}\n#   client_secret: {secret}")?;
                if let Some(address) = server.web_address() {
                    let (name, password) = dev.user();
                    writeln!(out, "# The web pages: https://{address}\n#   user: {name}\n#   password: {password}")?;
                }
                writeln!(out, "# ---")?;
                out.flush()
            })
        }
        Command::Detections { data_dir, json, tenant, limit } => list(&data_dir, json, &Filter { tenant, limit }),
        Command::Sensors { data_dir } => {
            let found = Reader::open(&data_dir)?.sensors(None)?;
            unless_closed(sensors::write_json(&mut io::stdout().lock(), &found))
        }
        Command::CreateToken { data_dir, tenant, label, days } => {
            let expires = days.map(in_days);
            let token = store::create_token(&data_dir, &NewToken { tenant, label, expires })?;
            Ok(writeln!(io::stdout(), "{}", token.reveal())?)
        }
        Command::CreateClient { data_dir, owner, role, label, days } => {
            let (id_type, owner) = owner.id().ok_or("one of --tenant, --partner and --organization is needed")?;
            let new = NewClient { id_type, owner, role, label, expires: days.map(in_days) };
            let (id, secret) = store::create_client(&data_dir, &new)?;
            Ok(writeln!(io::stdout(), "client_id: {id}\nclient_secret: {}", secret.reveal())?)
        }
        Command::Clients { data_dir } => {
            let found = store::list_clients(&data_dir)?;
            unless_closed(clients::write_list(&mut io::stdout().lock(), &found))
        }
        Command::RevokeClient { data_dir, id } => match store::revoke_client(&data_dir, id)? {
            true => Ok(()),
            false => Err(format!("there is no client {id}; `sensor-central clients` lists those there are").into()),
        },
        Command::SetTenant { data_dir, tenant, name, partner, organization } => {
            Ok(store::set_tenant(&data_dir, tenant, name.as_deref(), partner, organization)?)
        }
        Command::Backup { file, data_dir } => {
            Ok(writeln!(io::stdout(), "{}: {}", file.display(), backup::create(&data_dir, &file)?)?)
        }
        Command::Restore { file, data_dir } => {
            let (contents, kept) = backup::restore(&data_dir, &file)?;
            let mut out = io::stdout().lock();
            writeln!(out, "restored: {contents}")?;
            Ok(kept.map_or(Ok(()), |kept| writeln!(out, "what was there is kept as {}", kept.display()))?)
        }
        Command::Verify { file } => Ok(writeln!(io::stdout(), "ok: {}", backup::verify(&file, Look::Whole)?)?),
        Command::Migrate { data_dir, without_backup } => {
            Ok(writeln!(io::stdout(), "{}", backup::migrate(&data_dir, !without_backup)?)?)
        }
        Command::User { command } => Ok(users::run(command, &mut io::stdout().lock())?),
    }
}

#[tokio::main]
async fn serve(config: &Config, faults: Faults, announce: impl FnOnce(&Server) -> io::Result<()>) -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut server = Server::start(config, faults)?;
    announce(&server)?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => match server.reload_certificate() {
                Ok(()) => tracing::info!("read the certificate again"),
                Err(error) => tracing::error!(%error, "the old certificate stays"),
            },
            error = server.ended() => return Err(error.into()),
        }
    }
    tracing::info!("stopping: requests that have begun are answered first");
    tokio::select! {
        () = server.stop() => Ok(()),
        _ = terminate.recv() => Err("told to stop a second time: stopped at once".into()),
        _ = interrupt.recv() => Err("told to stop a second time: stopped at once".into()),
    }
}

fn list(data_dir: &Path, json: bool, filter: &Filter) -> Result<(), Error> {
    let found = Reader::open(data_dir)?.detections(filter)?;
    let mut out = io::stdout().lock();
    unless_closed(if json {
        detections::write_json(&mut out, &found)
    } else {
        detections::write_list(&mut out, &found)
    })
}

fn unless_closed(written: io::Result<()>) -> Result<(), Error> {
    match written {
        // Whoever read it had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn in_days(days: u32) -> i64 {
    now() + i64::from(days) * 24 * 3600 * 1_000_000_000
}

fn label(text: &str) -> Result<String, String> {
    if (1..=50).contains(&text.chars().count()) { Ok(text.into()) } else { Err("1 to 50 characters".into()) }
}
