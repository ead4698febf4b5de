//! The client at work, on the output's own thread.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rskafka::{
    BackoffConfig,
    chrono::{DateTime, Utc},
    client::{
        ClientBuilder, Credentials, SaslConfig,
        error::{Error, ProtocolError},
        partition::{Compression, PartitionClient, UnknownTopicHandling},
    },
    record::Record,
};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use super::{KafkaSettings, Sasl, SaslMechanism, partition};
use crate::{
    blocking::Blocking,
    remote::{Answer, Message, Setback, Settled},
    tls, words,
};

/// What is told of an error at most, characters.
const WORDS: usize = 300;

/// The waits between tries to connect, all in all.
const WAITS: Duration = Duration::from_millis(500);

/// See the module.
pub(super) struct Client {
    settings: KafkaSettings,
    tls: Option<Arc<rustls::ClientConfig>>,
    blocking: Blocking,
    topic: Option<Topic>,
}

/// The topic, once it is connected to.
struct Topic {
    client: rskafka::client::Client,
    /// The numbers of its partitions, in order.
    partitions: Vec<i32>,
    /// Those that were written to.
    open: HashMap<i32, PartitionClient>,
}

impl Client {
    pub(super) fn new(settings: &KafkaSettings) -> io::Result<Self> {
        let tls = settings.tls.as_ref().map(|settings| tls::config(settings, true)).transpose();
        let tls = tls.map_err(io::Error::from)?.map(Arc::new);
        Ok(Self { settings: settings.clone(), tls, blocking: Blocking::new()?, topic: None })
    }

    pub(super) fn reach(&mut self) -> Result<(), Setback> {
        let topic = self.blocking.wait(connect(&self.settings, self.tls.clone()));
        self.topic = Some(topic.map_err(|fault| self.setback(&fault))?);
        Ok(())
    }

    pub(super) fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        if self.topic.is_none()
            && let Err(setback) = self.reach()
        {
            return Answer { settled: Vec::new(), setback: Some(setback) };
        }
        let (settled, fault) = self
            .topic
            .as_mut()
            .map(|topic| self.blocking.wait(send(topic, &self.settings, messages)))
            .unwrap_or_default();
        // Messages are settled in order: behind the first that is not, others are sent again.
        let settled = settled.into_iter().map_while(|settled| settled).collect();
        let setback = fault.map(|fault| {
            self.topic = None;
            self.setback(&fault)
        });
        Answer { settled, setback }
    }

    fn setback(&self, fault: &Fault) -> Setback {
        let (said, lasting, hint) = match fault {
            Fault::Client(Error::ServerError { protocol_error, error_message, .. }) => {
                let said = match error_message {
                    Some(message) => format!("{protocol_error:?}: {message}"),
                    None => format!("{protocol_error:?}"),
                };
                let (lasting, hint) = match protocol_error {
                    ProtocolError::TopicAuthorizationFailed | ProtocolError::ClusterAuthorizationFailed => {
                        (true, "; let this user write to the topic")
                    }
                    ProtocolError::SaslAuthenticationFailed | ProtocolError::UnsupportedSaslMechanism => {
                        (true, "; check the `sasl_` keys")
                    }
                    ProtocolError::NotEnoughReplicas | ProtocolError::NotEnoughReplicasAfterAppend => {
                        (false, "; fewer replicas are in step than `min.insync.replicas`")
                    }
                    _ => (false, ""),
                };
                (said, lasting, hint)
            }
            Fault::Client(error) => of_connection(error.to_string()),
            Fault::TimedOut => {
                let hint = "; is a firewall in between, do brokers name addresses that can be reached, is TLS as they want it?";
                (format!("nothing came of it within {} s", self.settings.timeout.as_secs_f32()), false, hint)
            }
            Fault::NoTopic => ("the cluster has no such topic".to_owned(), false, "; create it"),
        };
        let password = self.settings.sasl.iter().map(|sasl| sasl.password.expose_secret());
        let said = words::fit(said.as_bytes(), password, WORDS);
        let reason = format!("cannot send to {}: {said}{hint}", self.settings.place());
        Setback { reason, wait: None, lasting }
    }
}

/// What came of a connection, whether it stays so, and what to do. The client has it as text alone.
fn of_connection(said: String) -> (String, bool, &'static str) {
    if said.contains("Sasl") {
        return (said, true, "; check the `sasl_` keys");
    }
    let hint = if said.contains("Cannot read") || said.contains("fatal alert") {
        "; do brokers want TLS (`tls`), a user (`sasl_mechanism`) or another certificate (`cert_file`)?"
    } else {
        ""
    };
    (said, false, hint)
}

/// Why it did not go on.
enum Fault {
    Client(Error),
    TimedOut,
    NoTopic,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

async fn connect(settings: &KafkaSettings, tls: Option<Arc<rustls::ClientConfig>>) -> Result<Topic, Fault> {
    // It counts the waits alone, and whoever sends tries again by itself: so soon that what it gives up for is known before
    // the time of a request is over.
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(1),
        base: 2.0,
        deadline: Some((settings.timeout / 4).min(WAITS)),
    };
    let mut builder = ClientBuilder::new(settings.addresses()).client_id(settings.agent).backoff_config(backoff);
    if let Some(tls) = tls {
        builder = builder.tls_config(tls);
    }
    if let Some(sasl) = &settings.sasl {
        builder = builder.sasl_config(sasl_config(sasl));
    }
    let find = async {
        let client = builder.build().await?;
        let topics = client.list_topics().await?;
        let topic = topics.into_iter().find(|topic| topic.name == settings.topic).ok_or(Fault::NoTopic)?;
        Ok(Topic { client, partitions: topic.partitions.into_iter().collect(), open: HashMap::new() })
    };
    timeout(settings.timeout, find).await.unwrap_or(Err(Fault::TimedOut))
}

fn sasl_config(Sasl { mechanism, username, password }: &Sasl) -> SaslConfig {
    let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
    match mechanism {
        SaslMechanism::Plain => SaslConfig::Plain(credentials),
        SaslMechanism::ScramSha256 => SaslConfig::ScramSha256(credentials),
        SaslMechanism::ScramSha512 => SaslConfig::ScramSha512(credentials),
    }
}

/// What became of each message, and why not all went out.
async fn send(
    topic: &mut Topic,
    settings: &KafkaSettings,
    messages: &[Message<'_>],
) -> (Vec<Option<Settled>>, Option<Fault>) {
    let mut settled = vec![None; messages.len()];
    let mut parts: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate() {
        let key = if message.key.is_empty() { message.uuid.as_bytes() } else { message.key };
        let Some(partition) = topic.partitions.get(partition::of(key, topic.partitions.len())) else {
            return (settled, Some(Fault::NoTopic));
        };
        parts.entry(*partition).or_default().push(at);
    }
    for (number, places) in parts {
        if let Err(fault) = send_part(topic, settings, number, &places, messages, &mut settled).await {
            return (settled, Some(fault));
        }
    }
    (settled, None)
}

/// Sends what goes to one partition, in order. What is too large together is sent in halves.
async fn send_part(
    topic: &mut Topic,
    settings: &KafkaSettings,
    number: i32,
    places: &[usize],
    messages: &[Message<'_>],
    settled: &mut [Option<Settled>],
) -> Result<(), Fault> {
    let partition = match topic.open.remove(&number) {
        Some(partition) => partition,
        None => {
            let name = settings.topic.as_str();
            let opening = topic.client.partition_client(name, number, UnknownTopicHandling::Error);
            timeout(settings.timeout, opening).await.map_err(|_| Fault::TimedOut)??
        }
    };
    let compression = if settings.gzip { Compression::Gzip } else { Compression::NoCompression };
    let mut steps = vec![places];
    while let Some(step) = steps.pop() {
        let records = step.iter().map(|at| record(&messages[*at])).collect();
        let produced = timeout(settings.timeout, partition.produce(records, compression)).await;
        match produced.map_err(|_| Fault::TimedOut)? {
            Ok(_) => step.iter().for_each(|at| settled[*at] = Some(Settled::Confirmed)),
            Err(Error::ServerError {
                protocol_error: ProtocolError::MessageTooLarge | ProtocolError::RecordListTooLarge,
                ..
            }) => {
                if let [at] = *step {
                    let length = messages[at].body.len();
                    let reason = format!("the topic takes no message of {length} bytes: max.message.bytes");
                    settled[at] = Some(Settled::TooLarge(reason));
                } else {
                    let (first, second) = step.split_at(step.len() / 2);
                    steps.extend([second, first]);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    topic.open.insert(number, partition);
    Ok(())
}

fn record(message: &Message<'_>) -> Record {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_millis()).unwrap_or_default();
    Record {
        key: (!message.key.is_empty()).then(|| message.key.to_vec()),
        value: Some(message.body.to_vec()),
        headers: BTreeMap::from([("id".to_owned(), message.uuid.to_string().into_bytes())]),
        timestamp: DateTime::<Utc>::from_timestamp_millis(now).unwrap_or_default(),
    }
}
