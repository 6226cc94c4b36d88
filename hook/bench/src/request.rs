//! The requests that the benchmark sends and searches.

/// An ordinary request of 133 bytes, without a word.
pub(crate) const REQUEST: &str = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: python-requests/2.31.0\r\n\
                       Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: x\r\n\r\n";

/// Different requests without a word, with `\n` at the ends of lines. The filters were not built with them.
pub(crate) const REQUESTS: &str = include_str!("requests.txt");
