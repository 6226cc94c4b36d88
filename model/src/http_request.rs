//! What is sent: one HTTP/1.1 request, and the same with a keyword in it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, wrong};

/// The HTTP/1.1 request; `Host` and `Content-Length` are added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Such as `/`.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Text, may be empty.
    pub body: String,
}

/// A share of the requests carries a keyword. Within a round, all arms get the same request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyword {
    /// What is to be found.
    pub word: String,
    /// Share of the rounds, 0 to 1, drawn with the plan's seed.
    pub share: f64,
    /// Where it stands.
    pub position: Position,
}

/// Where the keyword stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// In the query of the path, thus in the first line.
    Path,
    /// In a header of its own before the others.
    FirstHeader,
    /// In a header of its own after the others.
    LastHeader,
    /// At the body's end.
    Body,
}

impl Request {
    /// A request with a name: `locust` is what the 2023 study's client sent (Locust's HttpUser with requests 2.31.0).
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        let headers: &[(&str, &str)] = match name {
            "locust" => &[
                ("User-Agent", "python-requests/2.31.0"),
                ("Accept-Encoding", "gzip, deflate"),
                ("Accept", "*/*"),
                ("Connection", "keep-alive"),
            ],
            "minimal" => &[],
            _ => return None,
        };
        Some(Self {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: String::new(),
        })
    }

    /// The same with the keyword.
    #[must_use]
    pub fn with(&self, keyword: &Keyword) -> Self {
        let mut request = self.clone();
        let header = || ("X-Keyword".to_owned(), keyword.word.clone());
        match keyword.position {
            Position::Path => {
                request.path.push(if self.path.contains('?') { '&' } else { '?' });
                request.path += &keyword.word;
            }
            Position::FirstHeader => request.headers.insert(0, header()),
            Position::LastHeader => request.headers.push(header()),
            Position::Body => request.body += &keyword.word,
        }
        request
    }

    /// Checks a request.
    ///
    /// # Errors
    /// Names the first key whose value makes no sense.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let is_token =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if !is_token(&self.method) {
            return Err(wrong(
                "request.method",
                format!("{:?}", self.method),
                "a word such as GET",
            ));
        }
        if self.method.eq_ignore_ascii_case("HEAD") {
            return Err(wrong(
                "request.method",
                &self.method,
                "a method whose answer has a body, such as GET",
            ));
        }
        if !self.path.starts_with('/') || !self.path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong(
                "request.path",
                format!("{:?}", self.path),
                "a path such as /, percent-encoded",
            ));
        }
        for (name, value) in &self.headers {
            if !is_token(name) || value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
                return Err(wrong(
                    "request.headers",
                    format!("{name:?}: {value:?}"),
                    "a name and one line of text",
                ));
            }
            if ["content-length", "transfer-encoding", "host"].contains(&name.to_ascii_lowercase().as_str()) {
                return Err(wrong(
                    "request.headers",
                    name,
                    "other headers; this one is made from body and address",
                ));
            }
        }
        Ok(())
    }

    /// The bytes to be sent to `address`.
    pub(crate) fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: {address}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        text += "\r\n";
        text += &self.body;
        text.into_bytes()
    }
}

impl Keyword {
    pub(crate) fn validate(&self, request: &Request) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&self.share) {
            return Err(wrong("keyword.share", self.share, "0 to 1"));
        }
        if self.word.is_empty() {
            return Err(wrong("keyword.word", "nothing", "a word"));
        }
        // What the keyword makes of the request must be one still.
        request.with(self).validate().map_err(|_| {
            wrong(
                "keyword.word",
                format!("{:?}", self.word),
                "what may stand at that position",
            )
        })
    }
}
