//! Homes that misbehave, each on a port of its own, and each for as long as it is kept.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// What a home does with a connection.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Its port is closed.
    Refuses,
    /// The kernel's queue is full and is never emptied, so that packets go unanswered.
    BlackHole,
    /// Takes the connection and says nothing.
    Silent,
    /// Breaks the connection off in the middle of the answer's head.
    ResetsMidAnswer,
    /// Closes without a word.
    HangsUp,
    /// Sends the head of an answer byte by byte, too slowly to ever end.
    Trickles,
    /// Sends this and the end of a line, and nothing more.
    Stalls(&'static str),
    /// Speaks something else.
    SpeaksSsh,
    /// Answers with this head.
    Answers(&'static str),
    /// Answers with a head and this proof, whatever it was asked.
    Claims(&'static str),
}

#[derive(Debug)]
pub struct Home {
    pub address: SocketAddr,
    task: Option<JoinHandle<()>>,
    /// What fills a queue.
    _held: Vec<TcpStream>,
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Home {
    /// # Panics
    /// When no port is to be had.
    pub async fn open(manner: Manner) -> Self {
        match manner {
            Manner::Refuses => {
                // Bound so that no other process takes the port, but not listening.
                let bound = TcpSocket::new_v4().expect("a socket");
                bound.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
                let address = bound.local_addr().expect("an address");
                let task = tokio::spawn(async move {
                    let _kept_bound = bound;
                    std::future::pending::<()>().await;
                });
                Self { address, task: Some(task), _held: Vec::new() }
            }
            Manner::BlackHole => black_hole().await,
            manner => {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let address = listener.local_addr().expect("an address");
                let task = tokio::spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        tokio::spawn(treat(stream, manner));
                    }
                });
                Self { address, task: Some(task), _held: Vec::new() }
            }
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

async fn treat(mut stream: TcpStream, manner: Manner) {
    let mut asked = [0; 1024];
    let _ = stream.read(&mut asked).await;
    let said = match manner {
        Manner::Answers(head) => stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await,
        Manner::Claims(proof) => {
            stream
                .write_all(
                    format!("HTTP/1.1 200 OK\r\nPorchlight-Proof: {proof}\r\nConnection: close\r\n\r\n").as_bytes(),
                )
                .await
        }
        Manner::SpeaksSsh => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await,
        Manner::ResetsMidAnswer => {
            let begun = stream.write_all(b"HTTP/1.1 200 OK\r\nServer: ho").await;
            // With no time to linger, closing sends a reset.
            stream.set_zero_linger().and(begun)
        }
        Manner::Trickles => {
            for byte in b"HTTP/1.1 200 OK\r\nServer: home\r\n".iter().cycle() {
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(300)).await;
            }
            Ok(())
        }
        Manner::Stalls(begun) => {
            let begun = stream.write_all(format!("{begun}\r\n").as_bytes()).await;
            sleep(Duration::from_mins(1)).await;
            begun
        }
        Manner::Silent => {
            sleep(Duration::from_mins(1)).await;
            Ok(())
        }
        Manner::HangsUp | Manner::Refuses | Manner::BlackHole => Ok(()),
    };
    drop(said);
}

/// A listener whose queue has room for one, and is full.
async fn black_hole() -> Home {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let mut held = Vec::new();
    // The kernel takes one or two more than asked for; from then on connecting hangs.
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        held.push(stream);
        assert!(held.len() < 16, "the queue never fills");
    }
    let task = tokio::spawn(async move {
        let _kept_unaccepted = listener;
        std::future::pending::<()>().await;
    });
    Home { address, task: Some(task), _held: held }
}
