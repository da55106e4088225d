import FeatureCatalog
import GRDB
import TestSupport
import Testing

@Suite struct ContextWindowTests {
    /// Of all stretches of the passage that hold the peak and are as long as they can be, the one with a quarter of
    /// the tokens asked for behind the peak, or as near to that as the passage allows.
    private func range(around position: Int, in count: Int, length: Int) -> Range<Int> {
        let long = min(length, count)
        let all = (0...count - long).map { $0..<$0 + long }.filter { $0.contains(position) }
        func distance(_ range: Range<Int>) -> Int { abs(range.upperBound - (position + 1 + length / 4)) }
        return all.min { distance($0) < distance($1) } ?? 0..<0
    }

    @Test("Every window is the nearest possible") func everyWindowIsTheNearestThereIs() {
        for count in 1...30 {
            for length in 1...40 {
                for position in 0..<count {
                    #expect(
                        ContextWindow.range(around: position, in: count, length: length)
                            == range(around: position, in: count, length: length))
                }
            }
        }
    }

    @Test("The view computes the same window") func theViewWorksOutTheSame() throws {
        let directory = try TemporaryDirectory()
        let sample = try SampleCatalog(at: directory.file("a.catalog"))
        var generator = SplitMix(state: 11)
        // Passages of every length, with characters cut in several tokens, bytes of no character, and empty tokens.
        var passages: [(record: PassageRecord, id: Int64)] = []
        for count in 1...30 {
            for variant in 0..<2 {
                let bytes = PassageTextTests.bytes(&generator, pieces: 1 + generator.next(below: variant == 0 ? 8 : 60))
                let record = PassageRecord(
                    documentID: sample.documentIDs[variant], segment: count, firstToken: 3 * count + 1,
                    text: PassageText(
                        tokenBytes: PassageTextTests.tokens(&generator, bytes: bytes, count: count)))
                passages.append((record, try sample.catalog.addPassages([record])[0]))
            }
        }
        try sample.catalog.close()
        let queue = try DatabaseQueue(path: sample.catalog.path)
        try queue.write { database in
            try database.execute(sql: "DELETE FROM feature_context")
            var rank = 0
            for passage in passages {
                for position in 0..<passage.record.text.tokenCount {
                    try database.execute(
                        sql: """
                            INSERT INTO feature_context (dictionary_id, feature_index, corpus_id, band, rank,
                                passage_id, position, layer, activation)
                            VALUES (1, 0, 1, 0, ?, ?, ?, 2, 1)
                            """, arguments: [rank, passage.id, position])
                    rank += 1
                }
            }
        }
        for window in 1...40 {
            let rows = try queue.write { database in
                try database.execute(sql: "UPDATE indexing SET window = ?", arguments: [window])
                return try Row.fetchAll(
                    database,
                    sql: """
                        SELECT token_position, window_start, window_length, excerpt, document_id, segment
                        FROM context ORDER BY rank
                        """)
            }

            var rank = 0
            for passage in passages {
                for position in 0..<passage.record.text.tokenCount {
                    let expected = self.expected(passage.record, position, window)
                    let row = rows[rank]
                    let place = "window \(window), token \(position) of \(passage.record.text)"
                    #expect(row[0] == passage.record.firstToken + position, "\(place)")
                    #expect(row[1] == passage.record.firstToken + expected.window.lowerBound, "\(place)")
                    #expect(row[2] == expected.window.count, "\(place)")
                    #expect(row[3] == expected.excerpt, "\(place)")
                    #expect(row[4] == passage.record.documentID && row[5] == passage.record.segment)
                    rank += 1
                }
            }
            #expect(rank == rows.count && rank == 930)
        }
    }

    private func expected(
        _ passage: PassageRecord, _ position: Int, _ length: Int
    ) -> (window: Range<Int>, excerpt: String) {
        let starts = passage.text.tokenStarts
        let window = range(around: position, in: passage.text.tokenCount, length: length)
        var excerpt = String.UnicodeScalarView()
        // A peak token that is part of a character, or has no text, stands for the whole of the character there.
        let peak = starts[position]..<max(starts[position] + 1, starts[position + 1])
        for (place, scalar) in passage.text.text.unicodeScalars.enumerated() {
            let isShown = (starts[window.lowerBound]..<starts[window.upperBound]).contains(place)
            guard isShown || peak.contains(place) else { continue }
            if place == peak.lowerBound { excerpt.append("«") }
            excerpt.append(scalar)
            if place == peak.upperBound - 1 { excerpt.append("»") }
        }
        // At the very end there is no character any more.
        if starts[position] == starts.last { excerpt += "«»".unicodeScalars }
        return (window, String(excerpt))
    }
}
