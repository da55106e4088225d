import JSON

/// A page of the viewer, and its data.
protocol Page {
    /// What it is about, for the window's title.
    var title: String { get }
    /// Its own address.
    var address: Address { get }
    /// The pages above it, outermost first.
    var path: [(name: String, address: Address)] { get }
    /// Where it belongs in the navigation.
    var section: Shell.Section { get }
    /// The dictionary it is about.
    var dictionaryID: Int64? { get }
    /// What it shows.
    var content: HTML { get }
    /// The same as data.
    var json: JSONValue { get throws }
}

extension Page {
    var path: [(name: String, address: Address)] { [("Catalog", .catalog)] }
    var dictionaryID: Int64? { nil }
}
