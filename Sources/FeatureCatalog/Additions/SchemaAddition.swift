/// An entry of a catalog's schema that is not the catalog's own, made with any SQLite tool.
package struct SchemaAddition: Equatable, Sendable, CustomStringConvertible {
    /// Its kind.
    package enum Kind: String, Sendable {
        /// A table with rows.
        case table
        /// A table that an extension of SQLite makes up, such as a full-text index.
        case virtualTable = "virtual table"
        /// A table that a virtual one keeps its rows in.
        case shadowTable = "shadow table"
        /// A view.
        case view
        /// An index, on a table of others or on one of the catalog's own.
        case index
        /// A trigger on a table or view of others.
        case trigger
    }

    /// Its kind.
    package let kind: Kind
    /// Its name.
    package let name: String
    /// The table that an index or a trigger is on; its own name otherwise.
    package let table: String
    /// Its CREATE statement.
    let sql: String

    /// Kind and name, and of an index or a trigger the table.
    package var description: String {
        kind == .index || kind == .trigger ? "\(kind.rawValue) \(name) on \(table)" : "\(kind.rawValue) \(name)"
    }
}
