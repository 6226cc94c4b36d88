//! Parses the head of an HTTP/1.1 response and finds out where the body ends.

const MAX_HEADERS: usize = 64;

/// Result of parsing the bytes of a response so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ParsedHead {
    /// The head is not complete.
    Incomplete,
    /// The head is complete.
    Complete {
        /// Status code.
        http_status: u16,
        /// Number of bytes of the head.
        head_bytes: u64,
        /// Rule by which the end of the body is found.
        body: BodyEnd,
        /// Whether the server closes the connection after the response.
        close: bool,
    },
    /// The load generator does not support the response, for this reason.
    Malformed(&'static str),
}

/// Rule by which the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// The body has this number of bytes.
    Length(u64),
    /// The body consists of chunks.
    Chunked,
    /// The body ends with the connection.
    UntilClosed,
}

/// Parses the head of a response to a request with any method but HEAD.
pub(crate) fn parse(bytes: &[u8]) -> ParsedHead {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head_bytes = match response.parse(bytes) {
        Ok(httparse::Status::Complete(head_bytes)) => head_bytes as u64,
        Ok(httparse::Status::Partial) => return ParsedHead::Incomplete,
        Err(httparse::Error::TooManyHeaders) => return ParsedHead::Malformed("the response has more than 64 headers"),
        Err(_) => return ParsedHead::Malformed("the response is not an HTTP/1 response"),
    };
    let http_status = response.code.unwrap_or(0);
    if http_status < 200 {
        return ParsedHead::Malformed("interim (1xx) responses are not supported; send no Expect or Upgrade header");
    }
    let mut close = response.version == Some(0);
    let mut length = None;
    let mut chunked = false;
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let value = std::str::from_utf8(header.value)
                .ok()
                .and_then(|text| text.trim().parse::<u64>().ok());
            match (value, length) {
                (None, _) => return ParsedHead::Malformed("the response's Content-Length is not a number"),
                (Some(new), Some(old)) if new != old => {
                    return ParsedHead::Malformed("the response has two different Content-Length headers");
                }
                _ => length = value,
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if !header.value.eq_ignore_ascii_case(b"chunked") {
                return ParsedHead::Malformed("the response has a Transfer-Encoding other than chunked");
            }
            chunked = true;
        } else if header.name.eq_ignore_ascii_case("connection") {
            close |= header.value.eq_ignore_ascii_case(b"close");
        }
    }
    let body = match length {
        _ if http_status == 204 || http_status == 304 => BodyEnd::Length(0),
        // Transfer-Encoding overrides Content-Length (RFC 9112, section 6.3).
        _ if chunked => BodyEnd::Chunked,
        Some(length) if head_bytes.checked_add(length).is_none() => {
            return ParsedHead::Malformed("the response's Content-Length is too large");
        }
        Some(length) => BodyEnd::Length(length),
        None if close => BodyEnd::UntilClosed,
        None => {
            return ParsedHead::Malformed(
                "the response has no Content-Length, is not chunked and does not close, so its end cannot be known",
            );
        }
    };
    ParsedHead::Complete {
        http_status,
        head_bytes,
        body,
        close,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn a_complete_head_gives_the_length_of_the_body() {
        let head_bytes = OK.len() - 5;
        for cut in 0..head_bytes {
            assert_eq!(parse(&OK[..cut]), ParsedHead::Incomplete, "{cut} bytes");
        }
        for cut in head_bytes..=OK.len() {
            let expected = ParsedHead::Complete {
                http_status: 200,
                head_bytes: head_bytes as u64,
                body: BodyEnd::Length(5),
                close: false,
            };
            assert_eq!(parse(&OK[..cut]), expected);
        }
    }

    #[test]
    fn a_connection_that_closes_is_recognised() {
        let response = b"HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let expected = ParsedHead::Complete {
            http_status: 500,
            head_bytes: response.len() as u64,
            body: BodyEnd::Length(0),
            close: true,
        };
        assert_eq!(parse(response), expected);
        let old = b"HTTP/1.0 204 No Content\r\n\r\n";
        assert_eq!(
            parse(old),
            ParsedHead::Complete {
                http_status: 204,
                head_bytes: old.len() as u64,
                body: BodyEnd::Length(0),
                close: true
            }
        );
    }

    #[test]
    fn an_unsupported_response_gives_a_reason() {
        for (response, word) in [
            (&b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..], "not an HTTP"),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                "other than chunked",
            ),
            (b"HTTP/1.1 200 OK\r\n\r\n", "no Content-Length"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not a number"),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "two different",
            ),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
                "too large",
            ),
            (b"HTTP/1.1 100 Continue\r\n\r\n", "interim"),
        ] {
            let ParsedHead::Malformed(reason) = parse(response) else {
                panic!("{word}: accepted")
            };
            assert!(reason.contains(word), "{reason}");
        }
    }
}
