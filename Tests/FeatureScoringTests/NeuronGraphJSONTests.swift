import FeatureScoring
import Testing

struct NeuronGraphJSONTests {
    private let graph = NeuronGraph(
        patterns: [
            NeuronPattern(tokens: [3, nil, 7], activation: 1.5, contexts: 4),
            NeuronPattern(tokens: [7], startsSequence: true, activation: 0.1),
        ],
        unreducedContexts: 2
    )

    @Test func theFormIsStable() throws {
        #expect(
            try graph.json() == """
                {"format":"n2g","patterns":[{"activation":0.1,"contexts":1,"start":true,"tokens":[7]},\
                {"activation":1.5,"contexts":4,"tokens":[3,null,7]}],"unreduced":2,"version":1}
                """)
        #expect(try NeuronGraph(patterns: []).json() == #"{"format":"n2g","patterns":[],"version":1}"#)
    }

    @Test("A written graph reads back") func whatIsWrittenIsReadBack() throws {
        let read = try NeuronGraph(json: graph.json())
        #expect(read == graph)
        #expect(read.predict(tokens: [3, 9, 7]) == [0, 0, 1.5])
    }

    @Test(
        "Malformed graphs are refused",
        arguments: [
            "", "{", "[]", #"{"patterns":[]}"#, #"{"format":"n2g","version":2,"patterns":[]}"#,
            #"{"format":"tree","version":1,"patterns":[]}"#,
            #"{"format":"n2g","version":1,"patterns":[],"unreduced":-1}"#,
            #"{"format":"n2g","version":1,"patterns":[{"tokens":[],"activation":1}]}"#,
            #"{"format":"n2g","version":1,"patterns":[{"tokens":[1],"activation":1e99}]}"#,
            #"{"format":"n2g","version":1,"patterns":[{"tokens":[1],"activation":1,"contexts":0}]}"#,
            #"{"format":"n2g","version":1,"patterns":[{"tokens":[9999999999],"activation":1}]}"#,
            #"{"format":"n2g","version":1,"patterns":[{"tokens":["a"],"activation":1}]}"#,
        ])
    func anythingElseIsRefused(json: String) {
        #expect(throws: DecodingError.self) { try NeuronGraph(json: json) }
    }

    @Test("Counts that would overflow are clamped") func countsThatOverflowTogetherAreClamped() throws {
        let half = #"{"tokens":[1],"activation":1,"contexts":9223372036854775807}"#
        let read = try NeuronGraph(json: #"{"format":"n2g","version":1,"patterns":[\#(half),\#(half)]}"#)
        #expect(read.patterns.map(\.contexts) == [.max])
    }
}
