/// The form in which rows are printed.
package enum OutputFormat: String, CaseIterable, Codable, Hashable, Sendable {
    /// Aligned columns for people.
    case table
    /// One array of objects.
    case json
    /// One object a line.
    case jsonl
    /// Comma-separated values after RFC 4180.
    case csv
    /// Tab-separated values with escapes.
    case tsv
    /// A GitHub-flavoured Markdown table.
    case markdown
}
