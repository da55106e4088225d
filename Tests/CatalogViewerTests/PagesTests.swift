import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing

/// Every page over HTTP.
@Suite struct PagesTests {
    static let pages = [
        "/", "/dictionaries/1", "/dictionaries/1/features", "/dictionaries/1/features/0", "/dictionaries/1/features/5",
        "/dictionaries/1/features/9", "/dictionaries/1/features/0/contexts/top/0", "/runs/1", "/runs/2", "/runs/3",
        "/search", "/search?q=king", "/search?q=kings", "/compare", "/prompt", "/dictionaries/1/map",
    ]
    private let world: HostileWorld

    init() throws {
        world = try HostileWorld()
    }

    /// The addresses that a page leads to, without fragments.
    static func links(_ page: String) -> Set<String> {
        Set(
            page.matches(of: /(?:href|src)="([^"]*)"/).map {
                String($0.1).replacing("&amp;", with: "&").split(separator: "#", omittingEmptySubsequences: false)[0]
            }.map(String.init).filter { !$0.isEmpty })
    }

    @Test func everyLinkOnEveryPageIsAnswered() async throws {
        try await ServedCatalog.serve(world.path) { port in
            var seen: Set<String> = ["/"]
            var rest = ["/"]
            while let path = rest.popLast(), seen.count < 400 {
                let reply = try await HTTPClient.ask(path, port: port)
                #expect(reply.status == 200, "\(path): \(reply.text.prefix(600))")
                guard reply.headers["content-type"]?.hasPrefix("text/html") == true else { continue }
                for link in Self.links(reply.text).sorted() where seen.insert(link).inserted {
                    #expect(link.hasPrefix("/"), "\(path) leads to \(link)")
                    rest.append(link)
                }
            }
            // All features, their passages, runs, lists by layer and token, and JSON of each.
            #expect(seen.count > 120, "\(seen.count)")
            #expect(seen.contains("/dictionaries/1/features/29") && seen.contains("/runs/3"))
        }
    }

    @Test func noPageHoldsActiveMarkup() async throws {
        try await ServedCatalog.serve(world.path) { port in
            for page in Self.pages {
                let reply = try await HTTPClient.ask(page, port: port)
                let text = reply.text
                #expect(reply.status == 200, "\(page)")
                #expect(!text.contains("<script>"), "\(page)")
                #expect(!text.contains(HostileWorld.attribute), "\(page)")
                #expect(text.matches(of: /<[^>]*\s(?:on\w+|style)\s*=/).isEmpty, "\(page)")
                #expect(text.matches(of: /<script(?! src="\/(?:script|map)\.js)/).isEmpty, "\(page)")
                #expect(
                    !text.unicodeScalars.contains { "\u{202E}\u{200B}\u{FEFF}".unicodeScalars.contains($0) }, "\(page)")
                #expect(reply.body.count < 200_000, "\(page) has \(reply.body.count) bytes")
                let policy = try #require(reply.headers["content-security-policy"])
                #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
                #expect(reply.headers["x-content-type-options"] == "nosniff")
            }
        }
    }

    @Test func tokensOfAnyKindAreShownAsText() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let text = try await HTTPClient.ask("/dictionaries/1/features/0", port: port).text
            #expect(text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"))
            #expect(text.contains("&quot; onmouseover=&quot;alert(1)"))
            #expect(text.contains("&lt;U+202E&gt;gnp.exe"))
            #expect(text.contains("zero&lt;U+200B&gt;width&lt;U+FEFF&gt;"))
            #expect(text.contains("&amp;amp;&amp;lt;b&amp;gt;"))
            #expect(text.contains("⏎") && text.contains(" שלום"))
            // Ten thousand characters are shortened.
            #expect(text.contains("more)…") && !text.contains(HostileWorld.long))
        }
    }

    /// The colours say what the database says.
    @Test func theColouredTokensAreThoseOfTheDatabase() async throws {
        let strongest = HostileWorld.strongest
        try await ServedCatalog.serve(world.path) { port in
            let text = try await HTTPClient.ask("/dictionaries/1/features/0", port: port).text
            let list = try #require(text.firstMatch(of: /<ol class="contexts">.*?<\/ol>/.dotMatchesNewlines()))
            let marked = list.output.matches(of: /<b class="a(\d)( pk)?" title="([^"]*)">(.*?)<\/b>/).map {
                (level: Int($0.1) ?? -1, isPeak: $0.2 != nil, activation: Double($0.3) ?? 0, text: String($0.4))
            }
            let firing = strongest.indices.filter { strongest[$0] > 0 }
            #expect(marked.count == firing.count)
            for (mark, place) in zip(marked, firing) {
                #expect(mark.activation == Double(strongest[place]))
                #expect(mark.level == Int((strongest[place] / 3 * 10).rounded(.up)) - 1)
                #expect(mark.isPeak == (place == 2))
            }
            #expect(marked.first?.text == "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;")
            #expect(marked.last?.text == "&#39;")
        }
    }

    @Test func everyPageHasItsDataAsJSON() async throws {
        try await ServedCatalog.serve(world.path) { port in
            for page in Self.pages where page != "/prompt" {
                let parts = page.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
                let path = parts[0] == "/" ? "/catalog" : String(parts[0])
                let reply = try await HTTPClient.ask(
                    path + ".json" + (parts.count > 1 ? "?" + parts[1] : ""), port: port)
                #expect(reply.status == 200, "\(page): \(reply.text)")
                #expect(reply.headers["content-type"] == "application/json; charset=utf-8")
                #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(reply.body)) }
            }
            let reply = try await HTTPClient.ask("/dictionaries/1/features/0.json", port: port)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
            let contexts = try #require(object["contexts"] as? [[String: Any]])
            #expect(contexts[0]["tokens"] as? [String] == HostileWorld.words)
            let activations = try #require(contexts[0]["activations"] as? [Double])
            #expect(activations.map { Float($0) } == HostileWorld.strongest)
            #expect(try await HTTPClient.ask("/nope.json", port: port).text.contains("\"error\""))
        }
    }

    /// Layers are not called a span that they are not, and a command that is copied names the file whatever it is called.
    @Test func layersAndFilesAreNamedAsTheyAre() async throws {
        let path = world.directory.file("a b'c.sqlite")
        try FileManager.default.copyItem(atPath: world.path, toPath: path)
        let queue = try DatabaseQueue(path: path)
        try await queue.write { try $0.execute(sql: "UPDATE dictionary SET layers = '[3,5,7]'") }
        try queue.close()
        try await ServedCatalog.serve(path) { port in
            #expect(try await HTTPClient.ask("/dictionaries/1", port: port).text.contains("layers 3, 5, 7."))
            let run = try await HTTPClient.ask("/runs/1", port: port).text
            #expect(run.contains("routesae reproduce &#39;a b&#39;\\&#39;&#39;c.sqlite&#39; 1</pre>"))
        }
    }

    /// Figures that are kept are those of the file as it is.
    @Test func figuresFollowTheFile() async throws {
        let path = world.path
        try await ServedCatalog.serve(path) { port in
            let before = try await HTTPClient.ask("/dictionaries/1", port: port).text
            #expect(before.contains("mean score") && before.contains(" … "))
            #expect(try await HTTPClient.ask("/dictionaries/1", port: port).text == before)
            let queue = try DatabaseQueue(path: path)
            try await queue.write { try $0.execute(sql: "UPDATE score SET value = 0.875 WHERE value IS NOT NULL") }
            try queue.close()
            let after = try await HTTPClient.ask("/dictionaries/1", port: port).text
            #expect(after.contains("mean score 0.875 <small>0.875 … 0.875</small>"), "\(after)")
        }
    }

    @Test func listsAreFilteredSortedAndPaged() async throws {
        let catalog = try Catalog.open(at: world.path, mode: .readOnly)
        let features = try catalog.features(HostileWorld.key)
        try catalog.close()
        @Sendable func numbers(_ query: String, _ port: UInt16) async throws -> [Int] {
            let reply = try await HTTPClient.ask("/dictionaries/1/features.json?\(query)", port: port)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
            return try #require(object["features"] as? [[String: Any]]).compactMap { $0["feature_index"] as? Int }
        }
        let alive = features.filter { $0.firedCount > 0 }
        let byMaximum = alive.sorted { ($0.maxActivation ?? 0) > ($1.maxActivation ?? 0) }.map(\.featureIndex)
        let strong = alive.filter { $0.maxActivation ?? 0 >= 20 }.map(\.featureIndex)
        let dead = features.filter { $0.firedCount == 0 }.map(\.featureIndex)
        try await ServedCatalog.serve(world.path) { port in
            #expect(try await numbers("", port) == byMaximum + dead)
            #expect(try await numbers("alive=1", port) == byMaximum)
            #expect(try await numbers("alive=1&order=reversed", port) == byMaximum.reversed())
            #expect(try await numbers("where=max_activation+%3E%3D+20&sort=feature_index", port) == strong)
            #expect(
                try await numbers("where=max_activation%3E%3D20;+feature_index%3C20&sort=feature_index", port)
                    == strong.filter { $0 < 20 })
            #expect(try await numbers("alive=1&offset=20", port) == Array(byMaximum.dropFirst(20)))
            #expect(try await numbers("q=kings&sort=feature_index", port) == Array(0..<6))
            #expect(try await numbers("layer=1", port).isEmpty)
            #expect(try await numbers("token=%3Cscript%3Ealert('x')%3C/script%3E&alive=1", port) == byMaximum)
            for query in [
                "where=%3Cb%3E", "sort=nope", "sort=p50&where=p50", "offset=abc", "offset=-1", "offset=+1", "layer=x",
                "offset=1e1", "layer=99999999999999999999",
            ] {
                let wrong = try await HTTPClient.ask("/dictionaries/1/features?" + query, port: port)
                #expect(wrong.status == 400 && wrong.text.contains("role=\"alert\"") && !wrong.text.contains("<b>"))
                #expect(wrong.text.contains("<form class=\"filter\""))
                let data = try await HTTPClient.ask("/dictionaries/1/features.json?" + query, port: port)
                #expect(data.status == 400 && data.text.hasPrefix("{\"error\":"), "\(query): \(data.text)")
            }
            let page = try await HTTPClient.ask("/dictionaries/1/features?sort=p50&where=p50%3E1", port: port).text
            #expect(page.contains("<option value=\"p50\" selected>") && page.contains("value=\"p50&gt;1\""))
        }
    }

    /// A search without a word asks for nothing.
    @Test("A list without words is not filtered", arguments: ["%22", "*", "%22%22", "%0A", "%00", "%22+%22+*"])
    func aListWithoutWordsIsNotFiltered(words: String) async throws {
        try await ServedCatalog.serve(world.path) { port in
            let all = try await HTTPClient.ask("/dictionaries/1/features.json", port: port).body
            let reply = try await HTTPClient.ask("/dictionaries/1/features.json?q=" + words, port: port)
            #expect(reply.status == 200 && reply.body == all)
        }
    }

    @Test func aPageBeyondTheEndLeadsBack() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let page = try await HTTPClient.ask("/dictionaries/1/features?sort=p50&offset=1000", port: port)
            #expect(page.status == 200)
            #expect(page.text.contains("none of \(HostileWorld.latents)"))
            #expect(page.text.contains("No feature is like that."))
            #expect(page.text.contains("features?sort=p50\">The first page</a>"))
            #expect(!page.text.contains("rel=\"prev\""))
        }
    }
}
