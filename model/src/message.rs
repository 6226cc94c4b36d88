//! What is sent and how the end of its answer is known: an HTTP request, a Redis command, or any bytes over TCP.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::answer::Ending;
use crate::error::{Error, wrong};
use crate::request::{Keyword, Request};

/// One question. In TOML and JSON the keys tell which kind it is: `method`, `redis`, or `send`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Keys")]
pub enum Message {
    /// HTTP/1.1, whose answers have their own end.
    Http(Request),
    /// A Redis command; the protocol says where an answer ends.
    Redis {
        /// The command's words, such as `["GET", "key"]`.
        redis: Vec<String>,
    },
    /// Bytes, and how the end of the answer is known.
    Tcp {
        /// What is sent.
        #[serde(flatten)]
        send: Bytes,
        /// Where the answer ends.
        #[serde(flatten)]
        end: End,
    },
}

/// Bytes to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bytes {
    /// As text.
    Send(String),
    /// In hexadecimal, for what is no text.
    SendHex(String),
}

/// Where an answer over TCP ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// With this text.
    Until(String),
    /// After so many bytes.
    Length(u64),
}

/// All keys that a message may have; which of them belong together is checked afterwards, so that messages about
/// unknown keys have their line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    method: Option<String>,
    path: Option<String>,
    headers: Option<Vec<(String, String)>>,
    body: Option<String>,
    redis: Option<Vec<String>>,
    send: Option<String>,
    send_hex: Option<String>,
    until: Option<String>,
    length: Option<u64>,
}

impl TryFrom<Keys> for Message {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let http = keys.method.is_some() || keys.path.is_some() || keys.headers.is_some() || keys.body.is_some();
        let send = keys.send.is_some() || keys.send_hex.is_some();
        let end = keys.until.is_some() || keys.length.is_some();
        if usize::from(http) + usize::from(keys.redis.is_some()) + usize::from(send || end) > 1 {
            return Err(
                "keys of different kinds of request; expected either method, path, headers, body, or redis, or send with until or length"
                    .to_owned(),
            );
        }
        if let Some(redis) = keys.redis {
            return Ok(Self::Redis { redis });
        }
        if send || end {
            let send = match (keys.send, keys.send_hex) {
                (Some(text), None) => Bytes::Send(text),
                (None, Some(text)) => Bytes::SendHex(text),
                _ => return Err("expected one of send and send_hex: what is sent".to_owned()),
            };
            let end = match (keys.until, keys.length) {
                (Some(text), None) => End::Until(text),
                (None, Some(length)) => End::Length(length),
                _ => return Err("expected one of until and length: where the answer ends".to_owned()),
            };
            return Ok(Self::Tcp { send, end });
        }
        let missing = |name: &str| format!("missing field `{name}`");
        Ok(Self::Http(Request {
            method: keys.method.ok_or_else(|| missing("method"))?,
            path: keys.path.ok_or_else(|| missing("path"))?,
            headers: keys.headers.ok_or_else(|| missing("headers"))?,
            body: keys.body.ok_or_else(|| missing("body"))?,
        }))
    }
}

impl Message {
    /// Checks a message.
    ///
    /// # Errors
    /// Names the first key whose value makes no sense.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Http(request) => request.validate(),
            Self::Redis { redis } if redis.is_empty() => {
                Err(wrong("request.redis", "no word", "a command, such as [\"PING\"]"))
            }
            Self::Redis { .. } => Ok(()),
            Self::Tcp { send, end } => {
                match send {
                    Bytes::Send(text) if text.is_empty() => return Err(wrong("request.send", "nothing", "some bytes")),
                    Bytes::SendHex(text) if hexadecimal(text).is_none_or(|bytes| bytes.is_empty()) => {
                        let found = format!("{text:?}");
                        return Err(wrong("request.send_hex", found, "two hexadecimal digits for each byte"));
                    }
                    Bytes::Send(_) | Bytes::SendHex(_) => {}
                }
                match end {
                    End::Until(text) if text.is_empty() => Err(wrong("request.until", "nothing", "some bytes")),
                    End::Length(0) => Err(wrong("request.length", 0, "at least 1 byte")),
                    End::Until(_) | End::Length(_) => Ok(()),
                }
            }
        }
    }

    /// Checks that a keyword has its place in this message.
    pub(crate) fn validate_keyword(&self, keyword: &Keyword) -> Result<(), Error> {
        match self {
            Self::Http(request) => keyword.validate(request),
            Self::Redis { .. } | Self::Tcp { .. } => Err(wrong(
                "keyword",
                "a request that is no HTTP",
                "an HTTP request, or the word in the request itself",
            )),
        }
    }

    /// The same with the keyword, where it is an HTTP request.
    pub(crate) fn with(&self, keyword: &Keyword) -> Self {
        match self {
            Self::Http(request) => Self::Http(request.with(keyword)),
            Self::Redis { .. } | Self::Tcp { .. } => self.clone(),
        }
    }

    /// The bytes to be sent to `address`.
    #[must_use]
    pub fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        match self {
            Self::Http(request) => request.bytes(address),
            Self::Redis { redis } => {
                let words = redis.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
                format!("*{}\r\n{}", redis.len(), words.collect::<String>()).into_bytes()
            }
            Self::Tcp {
                send: Bytes::Send(text),
                ..
            } => text.clone().into_bytes(),
            Self::Tcp {
                send: Bytes::SendHex(text),
                ..
            } => hexadecimal(text).unwrap_or_default(),
        }
    }

    /// How the end of its answer is recognised.
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Http(_) => Ending::Http,
            Self::Redis { .. } => Ending::Redis,
            Self::Tcp {
                end: End::Until(text), ..
            } => Ending::pattern(text.as_bytes()),
            Self::Tcp {
                end: End::Length(length),
                ..
            } => Ending::Length(*length),
        }
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| {
        let [high, low] = pair else { return None };
        u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok()
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Message, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_keys_tell_the_kind_and_come_back() {
        for text in [
            r#"{"method":"GET","path":"/","headers":[],"body":""}"#,
            r#"{"redis":["GET","key"]}"#,
            r#"{"send":"PING\r\n","until":"\n"}"#,
            r#"{"send_hex":"00ff","length":4}"#,
        ] {
            let message = read(text).unwrap();
            message.validate().unwrap();
            assert_eq!(serde_json::to_string(&message).unwrap(), text);
        }
        let address = ([127, 0, 0, 1], 1).into();
        assert_eq!(
            read(r#"{"redis":["GET","key"]}"#).unwrap().bytes(address),
            b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"
        );
        assert_eq!(
            read(r#"{"send_hex":"00 fF","length":4}"#).unwrap().bytes(address),
            [0, 255]
        );
    }

    #[test]
    fn what_does_not_belong_together_is_said() {
        for (text, word) in [
            (r#"{"method":"GET","path":"/","headers":[]}"#, "missing field `body`"),
            (r#"{"method":"GET","redis":["PING"]}"#, "different kinds"),
            (r#"{"send":"x"}"#, "until and length"),
            (r#"{"until":"x"}"#, "send and send_hex"),
            (r#"{"sent":"x"}"#, "unknown field `sent`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        for text in [
            r#"{"redis":[]}"#,
            r#"{"send":"x","length":0}"#,
            r#"{"send_hex":"0","length":1}"#,
            r#"{"send":"x","until":""}"#,
        ] {
            assert!(read(text).unwrap().validate().is_err(), "{text}");
        }
    }
}
