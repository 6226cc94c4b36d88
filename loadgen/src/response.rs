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
        /// Bytes of head and body.
        total_bytes: u64,
        /// The server will close the connection.
        close: bool,
    },
    /// Not a response that the prober understands, and why.
    Malformed(&'static str),
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
            return Head::Malformed(
                "the response uses Transfer-Encoding (chunked), which is not supported; let the server send a Content-Length",
            );
        } else if header.name.eq_ignore_ascii_case("connection") {
            close |= header.value.eq_ignore_ascii_case(b"close");
        }
    }
    if http_status == 204 || http_status == 304 {
        length = Some(0);
    }
    match length.map(|length| head_bytes.checked_add(length)) {
        Some(Some(total_bytes)) => Head::Complete {
            http_status,
            total_bytes,
            close,
        },
        Some(None) => Head::Malformed("the response's Content-Length is too large"),
        None => Head::Malformed("the response has no Content-Length, so its end cannot be known"),
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
                total_bytes: OK.len() as u64,
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
            total_bytes: response.len() as u64,
            close: true,
        };
        assert_eq!(parse(response), expected);
        let old = b"HTTP/1.0 204 No Content\r\n\r\n";
        assert_eq!(
            parse(old),
            Head::Complete {
                http_status: 204,
                total_bytes: old.len() as u64,
                close: true
            }
        );
    }

    #[test]
    fn what_is_not_understood_says_why() {
        for (response, word) in [
            (&b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..], "no HTTP"),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "chunked",
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
