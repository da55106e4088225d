/// Something read for a page, or why it could not be read: damage in one place leaves the rest of the page.
enum Part<Value> {
    /// What was read.
    case read(Value)
    /// Why not.
    case damaged(any Error)

    /// Reads it.
    init(_ body: () throws -> Value) {
        do { self = .read(try body()) } catch { self = .damaged(error) }
    }

    /// What was read, or nil.
    var value: Value? { if case .read(let value) = self { value } else { nil } }

    /// What was read, for data that is all there or not at all.
    ///
    /// - Throws: why it could not be read.
    func get() throws -> Value {
        switch self {
        case .read(let value): value
        case .damaged(let error): throw error
        }
    }

    /// The value drawn, or an error in its place.
    func drawn(_ draw: (Value) -> HTML) -> HTML {
        switch self {
        case .read(let value): draw(value)
        case .damaged(let error): "<p class=\"damaged\" role=\"alert\">\(ViewerProblem(error).message)</p>"
        }
    }
}
