import GRDB

/// One verification.
struct CatalogInspection {
    let catalog: Catalog
    let database: Database
    let limit: Int
    let progress: CheckProgress
    private(set) var problems: [VerificationProblem] = []

    /// Dictionaries checked so far, by key.
    var dictionaries: [Int64: InspectedDictionary] = [:]
    /// Entries of the vocabularies of models, by key.
    var vocabularySizes: [Int64: Int] = [:]

    init(catalog: Catalog, database: Database, limit: Int, progress: CheckProgress) {
        self.catalog = catalog
        self.database = database
        self.limit = limit
        self.progress = progress
    }

    mutating func add(_ place: String, _ reason: String) {
        if problems.count < limit { problems.append(VerificationProblem(place: place, reason: reason)) }
    }

    /// Rows of a SELECT, one after another.
    func read(_ sql: String) throws(CatalogError) -> BulkRead {
        try BulkRead(database, path: catalog.path, sql: sql)
    }

    /// Runs all checks.
    ///
    /// If the file's pages are damaged nothing else can be trusted, so only their problems
    /// are reported.
    mutating func run() throws {
        if let pages = PagesCheck.Running(catalog, limit: limit) {
            let contents = Result { try checkContents() }
            progress.report(.pages)
            let found = try pages.wait()
            if !found.lines.isEmpty { problems = [] }
            add(pages: found.lines)
            guard found.lines.isEmpty else { return }
            try contents.get()
            try checkDigests(found.sums)
        } else {
            let found = try PagesCheck(database, path: catalog.path, limit: limit).run()
            add(pages: found.lines)
            guard found.lines.isEmpty else { return }
            try checkContents()
            try checkDigests(found.sums)
        }
    }

    private mutating func add(pages lines: [String]) {
        for line in lines { add("file", line) }
    }

    private mutating func checkContents() throws {
        progress.report(.rows)
        try checkConstraints()
        try checkReferences()
        try checkJSON()
        try checkScores()
        try checkExchanges()
        try checkVerdicts()
        progress.report(.tensors)
        try checkModels()
        try checkDictionaries()
        try checkLists()
        progress.report(.texts)
        try checkDocuments()
        try checkPassages()
        try checkPassageTokens()
        try checkSplits()
        progress.report(.features)
        try checkFeatures()
    }
}
