import FeatureCatalog

/// Something read for a page, or why it could not be read: damage in one place leaves the rest of the page.
enum Part<Value> {
    /// What was read.
    case read(Value)
    /// Why not, for people.
    case damaged(String)

    /// Reads it.
    init(_ body: () throws -> Value) {
        do { self = .read(try body()) } catch { self = .damaged("\(error)") }
    }

    /// What was read, or nil.
    var value: Value? { if case .read(let value) = self { value } else { nil } }

    /// The value drawn, or an error in its place.
    func drawn(_ draw: (Value) -> HTML) -> HTML {
        switch self {
        case .read(let value): draw(value)
        case .damaged(let problem): "<p class=\"damaged\" role=\"alert\">\(problem)</p>"
        }
    }
}
