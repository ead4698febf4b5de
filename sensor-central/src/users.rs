//! `sensor-central user`: who may look at the web pages.

use std::{
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::{
    detections::{plain, point_in_time, write_columns},
    store::{self, NewUser, StoreError, User, UserRole, password, user_name},
};

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Makes a user of the web pages. Without a password from elsewhere, one is made and printed, this once.
    Add {
        #[command(flatten)]
        place: Place,
        /// The tenant whose data they see.
        #[arg(long)]
        tenant: Uuid,
        /// What they log in with: letters, digits and any of . - _ @ +
        #[arg(long, value_parser = user_name)]
        name: String,
        /// What they may do.
        #[arg(long, value_enum)]
        role: UserRole,
        #[command(flatten)]
        source: Source,
    },
    /// Lists the users.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Removes a user and ends their sessions.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Their name.
        #[arg(long, value_parser = user_name)]
        name: String,
    },
    /// Gives a user another password and ends their sessions. Without one from elsewhere, one is made and printed.
    Password {
        #[command(flatten)]
        place: Place,
        /// Their name.
        #[arg(long, value_parser = user_name)]
        name: String,
        #[command(flatten)]
        source: Source,
    },
}

#[derive(Clone, Debug, Args)]
pub struct Place {
    /// The folder of the database.
    #[arg(long, default_value = "/var/lib/sensor-central")]
    data_dir: PathBuf,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct Source {
    /// Takes the password from standard input: all of it, less the end of its line.
    #[arg(long)]
    password_stdin: bool,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("cannot read the password from standard input: {0}")]
    Input(io::Error),
    #[error("{0}")]
    Password(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

impl Source {
    /// The password, and whether it was made here.
    fn password(self) -> Result<(String, bool), UserError> {
        if !self.password_stdin {
            return Ok((password::random()?, true));
        }
        let mut text = String::new();
        io::stdin().take(4096).read_to_string(&mut text).map_err(UserError::Input)?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
        password::check(&text).map_err(UserError::Password)?;
        Ok((text, false))
    }
}

/// Does what was asked.
///
/// # Errors
/// The database, the password or the output is at fault.
pub fn run(command: Command, out: &mut impl Write) -> Result<(), UserError> {
    let with_password = |source: Source, out: &mut dyn Write, keep: &dyn Fn(&str) -> Result<(), StoreError>| {
        let (password, is_new) = source.password()?;
        keep(&password)?;
        if is_new {
            writeln!(out, "password: {password}")?;
        }
        Ok(())
    };
    match command {
        Command::Add { place, tenant, name, role, source } => {
            let user = NewUser { tenant, name, role };
            with_password(source, out, &|password| store::create_user(&place.data_dir, &user, password))
        }
        Command::List { place } => write_list(out, &place.data_dir),
        Command::Remove { place, name } => Ok(store::remove_user(&place.data_dir, &name)?),
        Command::Password { place, name, source } => {
            with_password(source, out, &|password| store::set_password(&place.data_dir, &name, password))
        }
    }
}

fn write_list(out: &mut impl Write, data_dir: &Path) -> Result<(), UserError> {
    let header = ["NAME", "ROLE", "TENANT", "CREATED"].map(str::to_owned);
    let line =
        |user: User| [plain(&user.name), user.role.name().into(), user.tenant.to_string(), point_in_time(user.created)];
    let lines = store::list_users(data_dir)?.into_iter().map(line);
    Ok(write_columns(out, &std::iter::once(header).chain(lines).collect::<Vec<_>>())?)
}
