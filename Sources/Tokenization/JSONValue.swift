/// A JSON value (RFC 8259).
///
/// Vocabularies have some hundred thousand entries, whose names are told apart by their bytes: two names that are
/// canonically equivalent, and so equal as strings, can be two tokens. The dictionaries of Foundation's reader merge them,
/// and take seconds to be converted.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    /// Any other number.
    case otherNumber(Double)
    case string(String)
    case array([JSONValue])
    /// The members in the order of the text; no name occurs twice.
    case object([Member])

    /// A member of an object.
    struct Member: Sendable {
        var name: String
        var value: JSONValue
    }

    /// Why a text is no JSON.
    struct SyntaxError: Error {
        /// In bytes from the beginning.
        var offset: Int
        var expected: String
    }
}
