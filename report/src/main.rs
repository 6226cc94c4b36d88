//! From datasets to tables, figures and the HTML report.

fn main() {}
