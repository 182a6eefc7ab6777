//! Just enough of HTML to read our own pages as a person does.

/// Elements that hold nothing and are not closed.
const VOID: [&str; 6] = ["meta", "link", "input", "br", "hr", "img"];

#[derive(Debug, Default)]
pub struct Element {
    pub tag: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    /// A page, or a part of one.
    pub fn read(html: &str) -> Self {
        let mut open = vec![Self::default()];
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            text(&mut open, &rest[..at]);
            rest = &rest[at..];
            let end = rest.find('>').expect("a tag that ends");
            let tag = &rest[1..end];
            rest = &rest[end + 1..];
            if tag.starts_with('!') {
                continue;
            }
            if let Some(name) = tag.strip_prefix('/') {
                let closed = open.pop().expect("an open element");
                assert_eq!(closed.tag, name, "the page is well formed");
                push(&mut open, Node::Element(closed));
                continue;
            }
            let element = started(tag.trim_end_matches('/'));
            if tag.ends_with('/') || VOID.contains(&element.tag.as_str()) {
                push(&mut open, Node::Element(element));
            } else {
                open.push(element);
            }
        }
        text(&mut open, rest);
        assert_eq!(open.len(), 1, "everything is closed");
        open.remove(0)
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn has_class(&self, class: &str) -> bool {
        self.attribute("class")
            .is_some_and(|classes| classes.split(' ').any(|known| known == class))
    }

    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// Every element inside that fits, in the order of the page.
    pub fn all<'a>(&'a self, fits: &dyn Fn(&Element) -> bool) -> Vec<&'a Element> {
        let mut found = Vec::new();
        for element in self.elements() {
            if fits(element) {
                found.push(element);
            }
            found.extend(element.all(fits));
        }
        found
    }

    pub fn class<'a>(&'a self, class: &str) -> Option<&'a Element> {
        self.all(&|element| element.has_class(class)).into_iter().next()
    }

    /// Its text, moments to the minute as every platform shows them.
    pub fn text(&self) -> String {
        if self.tag == "svg" {
            return String::new();
        }
        if self.tag == "time"
            && let Some(at) = self.attribute("datetime")
        {
            let at: chrono::DateTime<chrono::Utc> = at.parse().expect("a moment");
            return at.format("%Y-%m-%d %H:%M UTC").to_string();
        }
        let parts = self.children.iter().map(|node| match node {
            Node::Element(element) => element.text(),
            Node::Text(text) => text.clone(),
        });
        parts.collect()
    }
}

fn push(open: &mut [Element], node: Node) {
    open.last_mut().expect("the root stays").children.push(node);
}

fn text(open: &mut [Element], raw: &str) {
    if !raw.is_empty() {
        push(open, Node::Text(unescaped(raw)));
    }
}

fn started(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut element = Element {
        tag: name.to_owned(),
        ..Element::default()
    };
    loop {
        rest = rest.trim_start();
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let (attribute, after) = rest.split_at(end);
        if attribute.is_empty() {
            return element;
        }
        let value = match after.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').expect("a quote that ends");
                rest = after;
                value
            }
            None => {
                rest = after;
                ""
            }
        };
        element.attributes.push((attribute.to_owned(), unescaped(value)));
    }
}

fn unescaped(raw: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&#x2f;", "/"),
        ("&#47;", "/"),
        ("&amp;", "&"),
    ];
    pairs
        .iter()
        .fold(raw.to_owned(), |text, (from, to)| text.replace(from, to))
}
