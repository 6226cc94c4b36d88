//! A message that the load generator sends: an HTTP request, a Redis command, or any bytes over TCP.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http_request::{HttpRequest, Keyword};
use crate::invalid_value::{InvalidValue, require};

/// One message. Its keys in TOML and JSON decide its kind: `method`, `redis`, or `send`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, try_from = "MessageKeys")]
pub enum Message {
    /// An HTTP/1.1 request. HTTP defines where the response ends.
    Http(HttpRequest),
    /// A Redis command. The protocol RESP defines where the response ends.
    Redis {
        /// Words of the command, such as `["GET", "key"]`.
        redis: Vec<String>,
    },
    /// Bytes over TCP. The message itself says where the response ends.
    Tcp {
        /// Bytes to send.
        #[serde(flatten)]
        send: Payload,
        /// End of the response.
        #[serde(flatten)]
        end: ResponseEnd,
    },
}

/// Bytes to send over TCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Bytes as text.
    Send(String),
    /// Bytes as hexadecimal digits, with or without white space between them.
    SendHex(String),
}

/// End of a response over TCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseEnd {
    /// The response ends with this text.
    Until(String),
    /// The response has this length, in bytes.
    Length(u64),
}

/// All keys that a message may have. The conversion to [`Message`] checks which of them belong together. With one struct
/// for all kinds, serde's error about an unknown key names the key and its line.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MessageKeys {
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

impl TryFrom<MessageKeys> for Message {
    type Error = String;

    fn try_from(keys: MessageKeys) -> Result<Self, String> {
        let http = keys.method.is_some() || keys.path.is_some() || keys.headers.is_some() || keys.body.is_some();
        let send = keys.send.is_some() || keys.send_hex.is_some();
        let end = keys.until.is_some() || keys.length.is_some();
        if usize::from(http) + usize::from(keys.redis.is_some()) + usize::from(send || end) > 1 {
            return Err(
                "keys of different kinds of request; expected either method, path, headers and body, or redis, or send with until or length"
                    .to_owned(),
            );
        }
        if let Some(redis) = keys.redis {
            return Ok(Self::Redis { redis });
        }
        if send || end {
            let send = match (keys.send, keys.send_hex) {
                (Some(text), None) => Payload::Send(text),
                (None, Some(text)) => Payload::SendHex(text),
                _ => return Err("expected one of send and send_hex: the bytes to send".to_owned()),
            };
            let end = match (keys.until, keys.length) {
                (Some(text), None) => ResponseEnd::Until(text),
                (None, Some(length)) => ResponseEnd::Length(length),
                _ => return Err("expected one of until and length: the end of the response".to_owned()),
            };
            return Ok(Self::Tcp { send, end });
        }
        let missing = |name: &str| format!("missing field `{name}`");
        Ok(Self::Http(HttpRequest {
            method: keys.method.ok_or_else(|| missing("method"))?,
            path: keys.path.ok_or_else(|| missing("path"))?,
            headers: keys.headers.ok_or_else(|| missing("headers"))?,
            body: keys.body.ok_or_else(|| missing("body"))?,
        }))
    }
}

impl Message {
    /// Checks that the message and the end of its response are valid.
    ///
    /// # Errors
    /// Names the first key whose value is not valid.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        match self {
            Self::Http(request) => request.validate(),
            Self::Redis { redis } => {
                let expected = "a command, such as [\"PING\"]";
                require(!redis.is_empty(), "request.redis", "no words", expected)
            }
            Self::Tcp { send, end } => {
                let (empty, a_byte) = ("an empty text", "at least 1 byte");
                match send {
                    Payload::Send(text) => require(!text.is_empty(), "request.send", empty, a_byte)?,
                    Payload::SendHex(text) => {
                        let has_bytes = decode_hex(text).is_some_and(|bytes| !bytes.is_empty());
                        let expected = "two hexadecimal digits for each byte";
                        require(has_bytes, "request.send_hex", format!("{text:?}"), expected)?;
                    }
                }
                match end {
                    ResponseEnd::Until(text) => require(!text.is_empty(), "request.until", empty, a_byte),
                    ResponseEnd::Length(length) => require(*length > 0, "request.length", 0, a_byte),
                }
            }
        }
    }

    /// Checks that this message can carry the keyword.
    ///
    /// # Errors
    /// Names the first key whose value is not valid; `keyword` when the message is not an HTTP request.
    pub fn validate_keyword(&self, keyword: &Keyword) -> Result<(), InvalidValue> {
        match self {
            Self::Http(request) => keyword.validate(request),
            Self::Redis { .. } | Self::Tcp { .. } => Err(InvalidValue::new(
                "keyword",
                "a request that is not HTTP",
                "an HTTP request; write the word into any other request itself",
            )),
        }
    }

    /// Returns an HTTP request with the keyword in its place, and any other message unchanged.
    #[must_use]
    pub fn with_keyword(&self, keyword: &Keyword) -> Self {
        match self {
            Self::Http(request) => Self::Http(request.with_keyword(keyword)),
            Self::Redis { .. } | Self::Tcp { .. } => self.clone(),
        }
    }

    /// Returns the bytes of the message for the server at `address`.
    #[must_use]
    pub fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        match self {
            Self::Http(request) => request.bytes(address),
            Self::Redis { redis } => {
                let words = redis.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
                format!("*{}\r\n{}", redis.len(), words.collect::<String>()).into_bytes()
            }
            Self::Tcp {
                send: Payload::Send(text),
                ..
            } => text.clone().into_bytes(),
            Self::Tcp {
                send: Payload::SendHex(text),
                ..
            } => decode_hex(text).unwrap_or_default(),
        }
    }
}

/// Decodes hexadecimal digits; white space between them does not count. Returns `None` for any other text.
fn decode_hex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Message, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_keys_decide_the_kind_and_survive_a_round_trip() {
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
    fn keys_that_do_not_belong_together_are_an_error() {
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
