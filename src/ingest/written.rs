//! Tells the answers in what the web framework writes: which bytes are one answer, and whether it is one of ours.

/// The first answer in some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// How many bytes it has, of which not all may be there.
    pub(super) length: usize,
    /// Its status, when the framework made it by itself: without a body, which every answer of ours has.
    pub(super) bare: Option<u16>,
    /// Whether another answer to the same request follows.
    pub(super) is_interim: bool,
}

impl Written {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let other = Self { length: bytes.len(), bare: None, is_interim: false };
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) else {
            return other;
        };
        let Some(head) = bytes.get(..end).and_then(|head| std::str::from_utf8(head).ok()) else { return other };
        let Some(status) = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse::<u16>().ok()) else {
            return other;
        };
        let body = header(head, "content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
        // The answer to a HEAD announces a body that does not come.
        let has_body = bytes.get(end..).is_some_and(|rest| !rest.is_empty() && !rest.starts_with(b"HTTP/1."));
        let length = if has_body { end.saturating_add(body) } else { end };
        Self { length, bare: (status >= 400 && body == 0).then_some(status), is_interim: status == 100 }
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find_map(|(own, value)| own.eq_ignore_ascii_case(name).then(|| value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_body_ends() {
        let ours = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}";
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let both = format!("{ours}{bare}");
        assert_eq!(Written::read(both.as_bytes()), Written { length: ours.len(), bare: None, is_interim: false });
        assert_eq!(Written::read(bare.as_bytes()), Written { length: bare.len(), bare: Some(400), is_interim: false });
        let interim = "HTTP/1.1 100 Continue\r\n\r\n";
        let written = Written::read(format!("{interim}{ours}").as_bytes());
        assert_eq!(written, Written { length: interim.len(), bare: None, is_interim: true });
        let head = "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 30\r\n\r\n";
        assert_eq!(Written::read(head.as_bytes()), Written { length: head.len(), bare: None, is_interim: false });
        assert_eq!(
            Written::read(format!("{head}{bare}").as_bytes()),
            Written { length: head.len(), bare: None, is_interim: false }
        );
    }

    #[test]
    fn what_is_no_answer_passes_whole() {
        for bytes in ["", "{}", "HTTP/1.1 400", "HTTP/1.1 x\r\n\r\n", "content-length: 0\r\n\r\n"] {
            assert_eq!(
                Written::read(bytes.as_bytes()),
                Written { length: bytes.len(), bare: None, is_interim: false },
                "{bytes}"
            );
        }
    }
}
