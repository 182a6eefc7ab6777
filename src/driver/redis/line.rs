//! One connection for one call. It never reconnects, and it takes in no more than it was allowed to.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::AbortHandle;

use crate::driver::{Access, Failure};

/// What the handshake and the questions about commands may add to the output of the call itself.
const OVERHEAD: usize = 64 * 1024;

pub struct Line {
    connection: MultiplexedConnection,
    target: String,
    address: String,
    output: usize,
    over: Arc<AtomicBool>,
    /// The task that moves the bytes; it ends with us.
    mover: Option<AbortHandle>,
}

/// Where an access leads, without its password.
pub fn address(access: &Access, target: &str) -> Result<String, Failure> {
    let client = open(access, target)?;
    let info = client.get_connection_info();
    let settings = info.redis_settings();
    let user = settings.username().unwrap_or("default");
    Ok(format!("{user}@{}/{}", info.addr(), settings.db()))
}

fn open(access: &Access, target: &str) -> Result<Client, Failure> {
    // The error may quote the url, and with it the password.
    Client::open(access.url.as_str()).map_err(|_| {
        Failure::Refused(format!(
            "the url of {target} cannot be read; write redis://user:password@host:6379/0 (rediss:// for TLS)"
        ))
    })
}

impl Line {
    pub async fn open(access: &Access, target: &str, output: usize) -> Result<Self, Failure> {
        let client = open(access, target)?;
        let address = address(access, target)?;
        let over = Arc::new(AtomicBool::new(false));
        // The caller's deadline covers everything; the client's own would be a second, shorter one.
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_connection_timeout(None);
        let settings = client.get_connection_info().redis_settings().clone();
        let limit = output.saturating_add(OVERHEAD);
        let connected = match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) => match TcpStream::connect((host.as_str(), *port)).await {
                Ok(stream) => start(&settings, Limited::new(stream, limit, &over), config).await,
                Err(why) => Err(why.into()),
            },
            ConnectionAddr::Unix(path) => match UnixStream::connect(path).await {
                Ok(stream) => start(&settings, Limited::new(stream, limit, &over), config).await,
                Err(why) => Err(why.into()),
            },
            // TLS is the client's own affair; there the time limit alone bounds a reply.
            _ => client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map(|connection| (connection, None)),
        };
        let (connection, mover) = connected.map_err(|error| unreached(&error, target, &address))?;
        Ok(Self {
            connection,
            target: target.to_owned(),
            address,
            output,
            over,
            mover,
        })
    }

    /// Sends one command and gives its reply, or the error as it is.
    pub async fn send(&mut self, argv: &[String]) -> Result<Value, RedisError> {
        let (name, arguments) = argv.split_first().ok_or((ErrorKind::Client, "no command"))?;
        let mut command = redis::cmd(name);
        for argument in arguments {
            command.arg(argument);
        }
        let reply = self.connection.send_packed_command(&command).await?;
        reply.extract_error()
    }

    /// The same, with the error in words.
    pub async fn ask(&mut self, argv: &[String]) -> Result<Value, Failure> {
        self.send(argv).await.map_err(|error| {
            if self.over.load(Ordering::Relaxed) {
                return Failure::Refused(format!(
                    "the reply to {} is larger than the output limit of {} bytes; ask for less, or raise output_limit",
                    argv.join(" "),
                    self.output
                ));
            }
            refused(&error, argv, &self.target, &self.address)
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(mover) = &self.mover {
            mover.abort();
        }
    }
}

async fn start<S>(
    settings: &redis::RedisConnectionInfo,
    stream: Limited<S>,
    config: AsyncConnectionConfig,
) -> Result<(MultiplexedConnection, Option<AbortHandle>), RedisError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The client's name in CLIENT LIST would be one more command that a narrow user may not send.
    let settings = settings.clone().set_skip_set_lib_name();
    let (connection, moving) = MultiplexedConnection::new_with_config(&settings, stream, config).await?;
    Ok((connection, Some(tokio::spawn(moving).abort_handle())))
}

fn unreached(error: &RedisError, target: &str, address: &str) -> Failure {
    match error.kind() {
        ErrorKind::AuthenticationFailed => Failure::Refused(format!(
            "{address} does not let this user in: {error}. Check user and password in the url of {target}."
        )),
        ErrorKind::Server(ServerErrorKind::BusyLoading) => Failure::Unreachable(format!(
            "{target} is loading its data and answers nothing yet. Wait, and ask again."
        )),
        _ if error.code().is_some() => Failure::Refused(format!("{address} refused: {error}")),
        _ => Failure::Unreachable(format!(
            "no connection to {address}: {error}. Is the server up, and reachable from here?"
        )),
    }
}

fn refused(error: &RedisError, argv: &[String], target: &str, address: &str) -> Failure {
    match error.code() {
        Some("NOPERM") => Failure::Refused(format!(
            "the probe's user may not send {}: {error}. Give it the rule {}",
            argv.join(" "),
            super::PROPER_USER
        )),
        Some("NOAUTH" | "WRONGPASS") => Failure::Refused(format!(
            "{address} wants a password: {error}. Put user and password into the url of {target}."
        )),
        Some("LOADING" | "BUSY" | "MASTERDOWN") => {
            Failure::Unreachable(format!("{target} cannot answer now: {error}"))
        }
        Some(_) => Failure::Refused(format!("{target} refused {}: {error}", argv.join(" "))),
        None => Failure::Unreachable(format!("{target} broke off: {error}")),
    }
}

/// A stream that ends with an error once it has brought in more than allowed.
struct Limited<S> {
    stream: S,
    left: usize,
    over: Arc<AtomicBool>,
}

impl<S> Limited<S> {
    fn new(stream: S, limit: usize, over: &Arc<AtomicBool>) -> Self {
        Self {
            stream,
            left: limit,
            over: Arc::clone(over),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Limited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().len() - before;
        match self.left.checked_sub(came) {
            Some(left) => {
                self.left = left;
                read
            }
            None => {
                self.over.store(true, Ordering::Relaxed);
                Poll::Ready(Err(std::io::Error::other("the reply is above the output limit")))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Limited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
