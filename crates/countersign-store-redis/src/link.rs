//! One connection to one server that was looked at and found fit.
//!
//! The library's connection is used, its retries and its cluster client are not: which server an answer came from, and
//! whether a question was put twice, has to be known here. Time limits are the callers'.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind,
    IntoConnectionInfo as _, Pipeline, RedisConnectionInfo, TlsCertificates, Value,
};

use crate::error::{NoLink, RedisError};
use crate::facts::Facts;
use crate::options::{Address, Login, RedisOptions, Servers, Tls};
use crate::script::{self, Scripts};

/// How long a server may take to let us in.
const CONNECT: Duration = Duration::from_secs(1);

/// How to speak to servers.
#[derive(Debug)]
pub(crate) struct Dialer {
    options: Arc<RedisOptions>,
}

/// A connection, to be used by several at once.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) server: Address,
    pub(crate) facts: Facts,
    pub(crate) scripts: Scripts,
    connection: MultiplexedConnection,
}

/// What a command met with.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// The connection is gone; the command may have been carried out.
    Broken(String),
    /// The server is not the one to ask any more.
    Elsewhere(String),
    /// It has no memory left.
    NoMemory,
    /// It does not know the script.
    NoScript,
    /// It refused, and may refuse only this.
    Refused(String),
}

impl Dialer {
    pub(crate) fn new(options: Arc<RedisOptions>) -> Self {
        Self { options }
    }

    /// Finds out early whether TLS can be set up at all.
    pub(crate) fn check(&self) -> Result<(), RedisError> {
        self.client(&Address::new("localhost", 1), None).map(drop)
    }

    /// Connects to a server that is to be written to.
    pub(crate) async fn link(&self, server: &Address) -> Result<Link, NoLink> {
        let in_cluster = matches!(self.options.servers, Servers::Cluster(_));
        let reach = async {
            let mut connection = self.connection(server, self.options.login.as_ref(), self.options.database).await?;
            let facts = inspect(&mut connection, server, in_cluster).await?;
            let scripts = load(&mut connection).await.map_err(|trouble| trouble.at(server))?;
            Ok(Link { server: server.clone(), facts, scripts, connection })
        };
        limited(server, reach).await
    }

    /// Asks something of a server that is not written to.
    pub(crate) async fn ask(
        &self,
        server: &Address,
        login: Option<&Login>,
        question: &Pipeline,
    ) -> Result<Vec<Value>, NoLink> {
        let ask = async {
            let mut connection = self.connection(server, login, 0).await?;
            query(&mut connection, question).await.map_err(|trouble| trouble.at(server))
        };
        limited(server, ask).await
    }

    async fn connection(
        &self,
        server: &Address,
        login: Option<&Login>,
        database: u32,
    ) -> Result<MultiplexedConnection, NoLink> {
        let client = self.client(server, Some((login, database))).map_err(NoLink::Unfit)?;
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = client.get_multiplexed_async_connection_with_config(&config).await;
        connection.map_err(|error| match error.kind() {
            ErrorKind::AuthenticationFailed => {
                NoLink::Unfit(RedisError::Forbidden { server: server.clone(), answer: error.to_string() })
            }
            _ => NoLink::Away(format!("{server}: {error}")),
        })
    }

    fn client(&self, server: &Address, who: Option<(Option<&Login>, u32)>) -> Result<Client, RedisError> {
        let told = |error: redis::RedisError| RedisError::Tls(error.to_string());
        let mut settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some((login, database)) = who {
            settings = settings.set_db(i64::from(database));
            if let Some(login) = login {
                let password = String::from_utf8_lossy(login.password.expose());
                settings = settings.set_password(password);
                if let Some(user) = &login.user {
                    settings = settings.set_username(user);
                }
            }
        }
        let Address { host, port } = server.clone();
        let addr = match &self.options.tls {
            Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
            None => ConnectionAddr::Tcp(host, port),
        };
        let info = addr.into_connection_info().map_err(told)?;
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let info: ConnectionInfo = info.set_redis_settings(settings).set_tcp_settings(tcp);
        match &self.options.tls {
            Some(tls) => Client::build_with_tls(info, certificates(tls)).map_err(told),
            None => Client::open(info).map_err(told),
        }
    }
}

impl Link {
    /// Sends commands together and takes their answers; errors that the server answered with stand among them.
    pub(crate) async fn query(&mut self, pipeline: &Pipeline) -> Result<Vec<Value>, Trouble> {
        query(&mut self.connection, pipeline).await
    }

    pub(crate) async fn command(&mut self, cmd: Cmd) -> Result<Value, Trouble> {
        let mut pipeline = Pipeline::with_capacity(1);
        pipeline.add_command(cmd);
        let value = self.query(&pipeline).await?.into_iter().next().unwrap_or_default();
        answered(value)
    }

    /// Loads the scripts once more, where the server has forgotten them.
    pub(crate) async fn reload(&mut self) -> Result<(), Trouble> {
        load(&mut self.connection).await.map(drop)
    }

    /// Looks at the server once more.
    pub(crate) async fn inspect(&mut self, in_cluster: bool) -> Result<Facts, NoLink> {
        let server = self.server.clone();
        limited(&server, inspect(&mut self.connection, &server, in_cluster)).await
    }

    /// Whether anything is written to disk, as far as the server tells.
    pub(crate) async fn forgets_on_restart(&mut self) -> bool {
        let mut cmd = redis::cmd("CONFIG");
        cmd.arg("GET").arg("save");
        let saves = match self.command(cmd).await {
            Ok(Value::Array(pair)) => pair.get(1).and_then(text).is_none_or(|rule| !rule.is_empty()),
            // Managed servers do not tell.
            _ => true,
        };
        !saves && !self.facts.appends
    }
}

impl Trouble {
    fn of(error: &redis::RedisError) -> Self {
        let told = error.to_string();
        match error.code() {
            Some(code) => Self::coded(code, told),
            None => Self::Broken(told),
        }
    }

    fn coded(code: &str, told: String) -> Self {
        match code {
            "OOM" => Self::NoMemory,
            "NOSCRIPT" => Self::NoScript,
            "MOVED" | "ASK" | "READONLY" | "CLUSTERDOWN" | "MASTERDOWN" | "LOADING" | "TRYAGAIN" | "UNBLOCKED" => {
                Self::Elsewhere(told)
            }
            _ => Self::Refused(told),
        }
    }

    pub(crate) fn at(self, server: &Address) -> NoLink {
        match self {
            Self::Broken(why) | Self::Elsewhere(why) => NoLink::Away(format!("{server}: {why}")),
            Self::NoMemory => NoLink::Away(format!("{server}: no memory left")),
            Self::NoScript => NoLink::Away(format!("{server}: it forgets scripts")),
            Self::Refused(answer) => NoLink::Unfit(RedisError::Forbidden { server: server.clone(), answer }),
        }
    }
}

/// The value, unless the server answered with an error.
pub(crate) fn answered(value: Value) -> Result<Value, Trouble> {
    match value {
        Value::ServerError(error) => {
            let told = format!("{} {}", error.code(), error.details().unwrap_or_default());
            Err(Trouble::coded(error.code(), told.trim_end().to_owned()))
        }
        value => Ok(value),
    }
}

/// A value that is text.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.clone()),
        Value::Okay => Some("OK".to_owned()),
        _ => None,
    }
}

async fn query(connection: &mut MultiplexedConnection, pipeline: &Pipeline) -> Result<Vec<Value>, Trouble> {
    let sent = connection.send_packed_commands(pipeline, 0, pipeline.len()).await;
    sent.map_err(|error| Trouble::of(&error))
}

async fn inspect(
    connection: &mut MultiplexedConnection,
    server: &Address,
    in_cluster: bool,
) -> Result<Facts, NoLink> {
    let mut pipeline = Pipeline::with_capacity(1);
    pipeline.cmd("INFO");
    let values = query(connection, &pipeline).await.map_err(|trouble| trouble.at(server))?;
    let value = answered(values.into_iter().next().unwrap_or_default()).map_err(|trouble| trouble.at(server))?;
    let facts = Facts::read(&text(&value).unwrap_or_default());
    facts.judge(server, in_cluster)?;
    Ok(facts)
}

async fn load(connection: &mut MultiplexedConnection) -> Result<Scripts, Trouble> {
    let mut pipeline = Pipeline::with_capacity(3);
    for source in script::sources() {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(source);
    }
    let mut names = Vec::new();
    for value in query(connection, &pipeline).await? {
        names.extend(text(&answered(value)?));
    }
    let names = names.try_into().map_err(|_| Trouble::Refused("SCRIPT LOAD was not answered".to_owned()))?;
    Ok(Scripts::of(names))
}

async fn limited<T>(server: &Address, work: impl Future<Output = Result<T, NoLink>>) -> Result<T, NoLink> {
    let late = |_| Err(NoLink::Away(format!("{server} did not answer in time")));
    tokio::time::timeout(CONNECT, work).await.unwrap_or_else(late)
}

fn certificates(tls: &Tls) -> TlsCertificates {
    let client_tls = tls.client.as_ref().map(|(certificate, key)| ClientTlsConfig {
        client_cert: certificate.clone(),
        client_key: key.expose().to_vec(),
    });
    TlsCertificates { client_tls, root_cert: tls.authorities.clone() }
}
