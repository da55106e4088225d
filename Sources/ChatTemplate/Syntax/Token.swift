/// A piece of a template.
struct Token {
    enum Kind: Equatable {
        /// Text outside of tags.
        case data(Text)
        /// `{{`
        case outputBegin
        /// `}}`
        case outputEnd
        /// `{%`
        case tagBegin
        /// `%}`
        case tagEnd
        case name(String)
        case text(Text)
        case integer(Int)
        case number(Double)
        case symbol(String)
        case end
    }

    let kind: Kind
    /// From 1.
    let line: Int

    /// The token as messages name it.
    var description: String {
        switch kind {
        case .data: "text"
        case .outputBegin: "'{{'"
        case .outputEnd: "'}}'"
        case .tagBegin: "'{%'"
        case .tagEnd: "'%}'"
        case .name(let name): "'\(name)'"
        case .text: "a string"
        case .integer, .number: "a number"
        case .symbol(let symbol): "'\(symbol)'"
        case .end: "the end of the template"
        }
    }
}
