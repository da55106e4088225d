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
    /// What was wrong with the request, which the page says; its data are then not given.
    var problem: ViewerProblem? { get }
    /// Whether its data have an address.
    var hasData: Bool { get }
    /// What it shows.
    var content: HTML { get }
    /// The same as data.
    ///
    /// - Throws: where any of it is damaged.
    var json: JSONValue { get throws }
}

extension Page {
    var path: [(name: String, address: Address)] { [("Catalog", .catalog)] }
    var dictionaryID: Int64? { nil }
    var problem: ViewerProblem? { nil }
    var hasData: Bool { true }
}
