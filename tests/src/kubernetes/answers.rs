//! How an API server answers.

use serde_json::{Value, json};
use tokio::{
    io::{self, AsyncWriteExt, BufReader},
    net::TcpStream,
};

pub(super) async fn chunk(stream: &mut BufReader<TcpStream>, event: &Value) -> io::Result<()> {
    let line = format!("{event}\n");
    stream.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes()).await?;
    stream.flush().await
}

pub(super) async fn found(stream: &mut BufReader<TcpStream>, object: Option<Value>) -> io::Result<()> {
    match object {
        Some(object) => reply(stream, 200, &object).await,
        None => refuse(stream, 404, "not found").await,
    }
}

pub(super) fn status(code: u16, message: &str) -> Value {
    let reason = match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 if message.contains("has been modified") => "Conflict",
        409 => "AlreadyExists",
        410 => "Expired",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message, "metadata": {}})
}

pub(super) async fn refuse(stream: &mut BufReader<TcpStream>, code: u16, message: &str) -> io::Result<()> {
    reply(stream, code, &status(code, message)).await
}

pub(super) async fn reply(stream: &mut BufReader<TcpStream>, code: u16, body: &Value) -> io::Result<()> {
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {code} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.flush().await
}
