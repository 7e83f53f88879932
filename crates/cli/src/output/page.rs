//! An HTML page of text, charts and tables, without scripts and without references.

use super::{Section, shown};

const STYLE: &str = "\
body { font: 15px/1.45 sans-serif; color: #282828; max-width: 780px; margin: 2em auto;
  padding: 0 1em; overflow-wrap: anywhere; }
h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 2em; } h3 { font-size: 1em; }
figure { margin: 0; break-inside: avoid; } svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: 2px 12px 2px 0;
  border-bottom: 1px solid #e1e1e1; }
th { overflow-wrap: normal; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }";

/// A page that grows from top to bottom. All text is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page(String);

impl Page {
    /// A page with nothing but its title.
    pub fn new(title: &str) -> Self {
        let title = escaped(title);
        Self(format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n\
             <h1>{title}</h1>\n"
        ))
    }

    /// Begins a part of the page.
    pub fn heading(self, text: &str) -> Self {
        self.element("h2", text)
    }

    /// Adds a paragraph.
    pub fn paragraph(self, text: &str) -> Self {
        self.element("p", text)
    }

    /// Adds a chart, an `<svg>` element, under its name.
    pub fn chart(mut self, name: &str, svg: &str) -> Self {
        self.0 += &format!("<figure>\n<h3>{}</h3>\n{svg}</figure>\n", escaped(name));
        self
    }

    /// Adds a table, with the columns of the printed one.
    pub fn table(mut self, section: &Section) -> Self {
        self.0 += "<table>\n<tr>";
        for (place, column) in section.columns.iter().enumerate() {
            let is_number = section.rows.iter().any(|cells| cells[place].is_number());
            self.0 += &cell("th", is_number, &column.replace('_', " "));
        }
        for cells in &section.rows {
            self.0 += "</tr>\n<tr>";
            for value in cells {
                self.0 += &cell("td", value.is_number(), &shown(value));
            }
        }
        self.0 += "</tr>\n</table>\n";
        self
    }

    /// The whole page.
    pub fn finish(mut self) -> String {
        self.0 += "</body>\n</html>\n";
        self.0
    }

    fn element(mut self, tag: &str, text: &str) -> Self {
        self.0 += &format!("<{tag}>{}</{tag}>\n", escaped(text));
        self
    }
}

fn cell(tag: &str, is_number: bool, text: &str) -> String {
    let class = if is_number { " class=\"number\"" } else { "" };
    format!("<{tag}{class}>{}</{tag}>", escaped(text))
}

/// Text that is safe between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::text;

    #[test]
    fn no_text_can_bring_in_a_tag() {
        let evil = "<script>alert(1)</script> & more";
        let mut section = Section::new("rows", &["what", "count"]);
        section.row(vec![text(evil), json!(0.5)]);
        let page = Page::new(evil).heading(evil).paragraph(evil).chart(evil, "<svg></svg>");
        let html = page.table(&section).finish();
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more").count(), 6);
        assert!(html.contains("<td class=\"number\">0.5000</td>"), "{html}");
    }
}
