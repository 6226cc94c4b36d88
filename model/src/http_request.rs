//! The HTTP/1.1 request that the load generator sends, and the keyword that a share of the requests carries.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::invalid_value::{InvalidValue, require};

/// An HTTP/1.1 request. [`HttpRequest::bytes`] adds the headers `Host` and `Content-Length`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// Method, such as `GET`.
    pub method: String,
    /// Path with its query, such as `/`.
    pub path: String,
    /// Names and values of the headers, in the order of sending.
    pub headers: Vec<(String, String)>,
    /// Body; empty for a request without a body.
    pub body: String,
}

/// A keyword that a share of the requests carries. All arms receive the same request in the same round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keyword {
    /// The text that the server's treatment searches for.
    pub word: String,
    /// Share of the rounds that carry the keyword, 0 to 1. The plan's seed decides which rounds.
    pub share: f64,
    /// Place of the keyword in the request.
    pub position: KeywordPosition,
}

/// Place of a keyword in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeywordPosition {
    /// In the query of the path, that is, in the request line.
    Path,
    /// In a header of its own before all other headers.
    FirstHeader,
    /// In a header of its own after all other headers.
    LastHeader,
    /// At the end of the body.
    Body,
}

impl HttpRequest {
    /// Returns a request by its name, or `None` for an unknown name. `locust` is the request of the 2023 study (Locust's
    /// HttpUser with requests 2.31.0); `minimal` has no headers of its own.
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

    /// Returns a copy of the request with the keyword in its place.
    #[must_use]
    pub fn with_keyword(&self, keyword: &Keyword) -> Self {
        let mut request = self.clone();
        let header = || ("X-Keyword".to_owned(), keyword.word.clone());
        match keyword.position {
            KeywordPosition::Path => {
                request.path.push(if self.path.contains('?') { '&' } else { '?' });
                request.path += &keyword.word;
            }
            KeywordPosition::FirstHeader => request.headers.insert(0, header()),
            KeywordPosition::LastHeader => request.headers.push(header()),
            KeywordPosition::Body => request.body += &keyword.word,
        }
        request
    }

    /// Checks that the request can be sent and that its response has a body.
    ///
    /// # Errors
    /// Names the first key whose value is not valid.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        let is_token =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        let method = &self.method;
        require(
            is_token(method),
            "request.method",
            format!("{method:?}"),
            "a word such as GET",
        )?;
        let has_body = !method.eq_ignore_ascii_case("HEAD");
        require(
            has_body,
            "request.method",
            method,
            "a method whose response has a body, such as GET",
        )?;
        let is_path = self.path.starts_with('/') && self.path.bytes().all(|byte| byte.is_ascii_graphic());
        let path = format!("{:?}", self.path);
        require(is_path, "request.path", path, "a path such as /, percent-encoded")?;
        for (name, value) in &self.headers {
            let is_line = value.bytes().all(|byte| !byte.is_ascii_control() || byte == b'\t');
            let header = format!("{name:?}: {value:?}");
            require(
                is_token(name) && is_line,
                "request.headers",
                header,
                "a header name and one line of text",
            )?;
            let added = ["content-length", "transfer-encoding", "host"].contains(&name.to_ascii_lowercase().as_str());
            let expected = "other headers; the load generator adds Host and Content-Length itself";
            require(!added, "request.headers", name, expected)?;
        }
        Ok(())
    }

    /// Returns the bytes of the request for the server at `address`.
    #[must_use]
    pub fn bytes(&self, address: SocketAddr) -> Vec<u8> {
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
    /// Checks that the share is valid and that the request with the keyword is valid.
    pub(crate) fn validate(&self, request: &HttpRequest) -> Result<(), InvalidValue> {
        require((0.0..=1.0).contains(&self.share), "keyword.share", self.share, "0 to 1")?;
        require(!self.word.is_empty(), "keyword.word", "an empty word", "a word")?;
        request.with_keyword(self).validate().map_err(|_| {
            InvalidValue::new(
                "keyword.word",
                format!("{:?}", self.word),
                "a word that is allowed at that position of a request",
            )
        })
    }
}
