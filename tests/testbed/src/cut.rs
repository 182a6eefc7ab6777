//! A line between a client and a server that breaks at a chosen moment.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What happens to the bytes that hold the pattern, and to the line after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// They reach the server; its answer does not come back, the line is closed once it has answered.
    Lose,
    /// They do not reach the server; the line is closed.
    Drop,
    /// They reach the server; nothing comes back and the line stays open.
    Stall,
}

/// Listens on a port of its own and passes everything on, until the client sends `pattern`.
pub struct Cut {
    port: u16,
    serving: AbortHandle,
}

impl Cut {
    pub async fn before(server: u16, pattern: &'static str, then: Then) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port on 127.0.0.1");
        let port = listener.local_addr().expect("the port just bound").port();
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, pattern.as_bytes(), then));
            }
        });
        Self {
            port,
            serving: serving.abort_handle(),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(mut client: TcpStream, server: u16, pattern: &[u8], then: Then) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else {
        return;
    };
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(bytes @ 1..) = read else { return };
                let sent = &asked[..bytes];
                if sent.windows(pattern.len()).any(|window| window == pattern) {
                    return cut(client, server, sent, then).await;
                }
                if server.write_all(sent).await.is_err() { return }
            }
            read = server.read(&mut answered) => {
                let Ok(bytes @ 1..) = read else { return };
                if client.write_all(&answered[..bytes]).await.is_err() { return }
            }
        }
    }
}

async fn cut(mut client: TcpStream, mut server: TcpStream, sent: &[u8], then: Then) {
    if then == Then::Drop || server.write_all(sent).await.is_err() {
        return;
    }
    let mut swallowed = [0; 1024];
    // The server has answered: what it was asked is done.
    let _ = server.read(&mut swallowed).await;
    if then == Then::Stall {
        while matches!(client.read(&mut swallowed).await, Ok(1..)) {}
    }
}
