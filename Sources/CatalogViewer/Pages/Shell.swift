/// What stands around every page: head, navigation, search, footer.
struct Shell {
    /// The parts of the navigation.
    enum Section: String, CaseIterable {
        case catalog = "Catalog"
        case features = "Features"
        case compare = "Compare"
        case prompt = "Prompt"
        case review = "Review"
        case none = ""
    }

    /// The catalog's file name.
    let name: String
    /// Addresses of the dictionary that the navigation leads to.
    let links: DictionaryLinks?
    /// What is searched for.
    var words = ""
    /// Whether features are judged here.
    var hasReviews = false

    /// A page in its shell.
    func around(_ page: some Page) -> HTML {
        let crumbs = page.path.enumerated().map { number, step in
            let border: HTML = number == 0 ? "" : " <span aria-hidden=\"true\">/</span> "
            return "\(border)<a href=\"\(step.address)\"><bdi>\(step.name)</bdi></a>" as HTML
        }
        return document(
            title: page.title, section: page.section,
            """
            <nav class="crumbs" aria-label="Path">\(page.section == .catalog && page.path.isEmpty ? [] : crumbs)</nav>
            \(page.content)
            """, json: page.hasData ? page.address.json : nil)
    }

    /// A whole document, shown once all of it is there: tables and rows of fields take their widths from what comes last.
    func document(title: String, section: Section, _ content: HTML, json: Address? = nil) -> HTML {
        let links = Section.allCases.compactMap { link(to: $0, isCurrent: $0 == section) }
        let data = json.map { "<a href=\"\($0)\">this page as JSON</a>" as HTML }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title) · \(name)</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <link rel="icon" href="\(Assets.icon)" type="image/svg+xml">
            <link rel="stylesheet" href="\(Assets.style)">
            <link rel="expect" href="#end" blocking="render">
            <script src="\(Assets.script)" defer></script></head>
            <body><a class="skip" href="#main">Skip to content</a>
            <header class="top"><a class="brand" href="/"><svg viewBox="0 0 20 20" width="20" height="20" \
            aria-hidden="true"><path d="M2 15.5h4l3-9 3 6 2-3h4"/><circle cx="9" cy="6.5" r="2"/></svg>\
            <bdi>\(name)</bdi></a>
            <nav aria-label="Main">\(links)</nav>
            <form class="find" action="/search" role="search"><label class="hide" for="find">Search features</label>\
            <input id="find" name="q" type="search" placeholder="Search features" autocomplete="off" \
            value="\(exact: words)"><kbd aria-hidden="true">/</kbd></form></header>
            <main id="main">\(content)</main>
            <footer id="end">RouteSAE\(hasReviews ? "" : " · read only")\(data)</footer></body></html>

            """
    }

    private func link(to section: Section, isCurrent: Bool) -> HTML? {
        let address: Address
        switch section {
        case .catalog: address = .catalog
        case .features:
            guard let links else { return nil }
            address = links.features()
        case .compare: address = Address(["compare"])
        case .prompt: address = links?.prompt ?? Address(["prompt"])
        case .review:
            guard hasReviews else { return nil }
            address = Address(["review"], links.map { [("dictionary", $0.name)] + $0.fields } ?? [])
        case .none: return nil
        }
        let current: HTML = isCurrent ? " aria-current=\"page\"" : ""
        return "<a href=\"\(address)\"\(current)>\(section.rawValue)</a>"
    }
}
