import Foundation
import Testing

/// A page on one of several corpora leads to pages on the same.
@Suite struct CorpusLinksTests {
    private let world: HostileWorld

    init() throws {
        world = try HostileWorld()
        try SecondCorpus.add(to: world.path)
    }

    @Test func linksKeepTheCorpus() async throws {
        try await ServedCatalog.serve(world.path) { port in
            var seen: Set<String> = []
            var rest = ["/dictionaries/1?corpus=1"]
            while let path = rest.popLast() {
                let reply = try await HTTPClient.ask(path, port: port)
                #expect(reply.status == 200, "\(path): \(reply.text.prefix(300))")
                guard reply.headers["content-type"]?.hasPrefix("text/html") == true else { continue }
                for link in PagesTests.links(reply.text) where link.hasPrefix("/dictionaries/") {
                    #expect(link.contains("corpus="), "\(path) leads to \(link)")
                    // The page of the dictionary and that of a feature lead to their other corpora as well.
                    guard link.contains("corpus=1"), seen.insert(link).inserted else { continue }
                    rest.append(link)
                }
            }
            // Features, their passages, lists by layer and token, and the data of each.
            #expect(seen.count > 100, "\(seen.count)")
            #expect(seen.contains("/dictionaries/1/features/7.json?corpus=1"))
            #expect(seen.contains("/dictionaries/1/features/7/contexts/top/0?corpus=1"))
            #expect(seen.contains("/dictionaries/1/features?layer=0&corpus=1"))
            let list = try await HTTPClient.ask("/dictionaries/1/features?corpus=1", port: port).text
            #expect(list.contains("<input type=\"hidden\" name=\"corpus\" value=\"1\">"))
            for page in ["/", "/search?q=kings", "/compare", "/runs/1"] {
                let text = try await HTTPClient.ask(page, port: port).text
                let links = PagesTests.links(text).filter { $0.hasPrefix("/dictionaries/") }
                #expect(!links.isEmpty && links.allSatisfy { $0.contains("corpus=") }, "\(page): \(links)")
            }
            let compared = try await HTTPClient.ask("/compare", port: port).text
            #expect(
                PagesTests.links(compared).isSuperset(of: ["/dictionaries/1?corpus=1", "/dictionaries/1?corpus=2"]))
        }
    }

    /// The number of firings of feature 1 in the data of the list and of the feature.
    @Test func theDataAreOfTheCorpus() async throws {
        try await ServedCatalog.serve(world.path) { port in
            for (corpus, count) in [("1", 3), ("2", 0), ("second%20%26%20last", 0)] {
                let reply = try await HTTPClient.ask(
                    "/dictionaries/1/features.json?corpus=\(corpus)&where=feature_index%3D1", port: port)
                let object = try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
                let features = try #require(object["features"] as? [[String: Any]])
                #expect(features.map { $0["n_fired"] as? Int } == [count], "\(corpus)")
            }
            let last = try await HTTPClient.ask("/dictionaries/1/features/1", port: port).text
            #expect(last.contains("Never fired"))
        }
    }

    @Test func comparisonsKeepWhatTheyMatch() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let page = try await HTTPClient.ask("/compare?d=1&match=1&farthest=1", port: port).text
            #expect(PagesTests.links(page).contains("/compare.json?d=1&match=1&farthest=1"))
            let search = try await HTTPClient.ask("/search?q=kings&dictionary=1", port: port).text
            #expect(PagesTests.links(search).contains("/search.json?q=kings&dictionary=1"))
        }
    }
}
