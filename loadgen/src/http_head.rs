//! Finds the end of an HTTP/1.1 response.

const MAX_HEADERS: usize = 64;

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// The head is not complete.
    Incomplete,
    /// The head is complete, so that the length of all is known.
    Complete {
        /// Status code.
        http_status: u16,
        /// Bytes of the head.
        head_bytes: u64,
        /// How the body's end is known.
        body: Body,
        /// The server will close the connection.
        close: bool,
    },
    /// Not a response that the prober understands, and why.
    Malformed(&'static str),
}

/// How the body's end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// By its length in bytes.
    Length(u64),
    /// By its chunks.
    Chunked,
    /// By the end of the connection.
    UntilClosed,
}

/// Reads the head of a response to anything but a HEAD request.
pub(crate) fn parse(bytes: &[u8]) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head_bytes = match response.parse(bytes) {
        Ok(httparse::Status::Complete(head_bytes)) => head_bytes as u64,
        Ok(httparse::Status::Partial) => return Head::Incomplete,
        Err(httparse::Error::TooManyHeaders) => return Head::Malformed("the response has more than 64 headers"),
        Err(_) => return Head::Malformed("the response is no HTTP/1 response"),
    };
    let http_status = response.code.unwrap_or(0);
    if http_status < 200 {
        return Head::Malformed("interim (1xx) responses are not supported; send no Expect or Upgrade header");
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
                (None, _) => return Head::Malformed("the response's Content-Length is no number"),
                (Some(new), Some(old)) if new != old => {
                    return Head::Malformed("the response has two different Content-Length headers");
                }
                _ => length = value,
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if !header.value.eq_ignore_ascii_case(b"chunked") {
                return Head::Malformed("the response has a Transfer-Encoding other than chunked");
            }
            chunked = true;
        } else if header.name.eq_ignore_ascii_case("connection") {
            close |= header.value.eq_ignore_ascii_case(b"close");
        }
    }
    let body = match length {
        _ if http_status == 204 || http_status == 304 => Body::Length(0),
        // RFC 9112, section 6.3: chunks count more than a length.
        _ if chunked => Body::Chunked,
        Some(length) if head_bytes.checked_add(length).is_none() => {
            return Head::Malformed("the response's Content-Length is too large");
        }
        Some(length) => Body::Length(length),
        None if close => Body::UntilClosed,
        None => {
            return Head::Malformed(
                "the response has no Content-Length, is not chunked and does not close, so its end cannot be known",
            );
        }
    };
    Head::Complete {
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
    fn the_length_is_known_as_soon_as_the_head_is_complete() {
        let head_bytes = OK.len() - 5;
        for cut in 0..head_bytes {
            assert_eq!(parse(&OK[..cut]), Head::Incomplete, "{cut} bytes");
        }
        for cut in head_bytes..=OK.len() {
            let expected = Head::Complete {
                http_status: 200,
                head_bytes: head_bytes as u64,
                body: Body::Length(5),
                close: false,
            };
            assert_eq!(parse(&OK[..cut]), expected);
        }
    }

    #[test]
    fn closing_is_noticed() {
        let response = b"HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let expected = Head::Complete {
            http_status: 500,
            head_bytes: response.len() as u64,
            body: Body::Length(0),
            close: true,
        };
        assert_eq!(parse(response), expected);
        let old = b"HTTP/1.0 204 No Content\r\n\r\n";
        assert_eq!(
            parse(old),
            Head::Complete {
                http_status: 204,
                head_bytes: old.len() as u64,
                body: Body::Length(0),
                close: true
            }
        );
    }

    #[test]
    fn what_is_not_understood_says_why() {
        for (response, word) in [
            (&b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..], "no HTTP"),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                "other than chunked",
            ),
            (b"HTTP/1.1 200 OK\r\n\r\n", "no Content-Length"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no number"),
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
            let Head::Malformed(why) = parse(response) else {
                panic!("{word}: not refused")
            };
            assert!(why.contains(word), "{why}");
        }
    }
}
