package import Indexing
package import JSON
package import TerminalOutput

extension PromptFindings {
    /// The columns of ``rows``.
    package static let columns = [
        "position", "token", "layer", "router_weight", "rank", "feature_index", "activation", "explanation",
    ]

    /// A row for every token and feature.
    package var rows: some Sequence<[Cell]> {
        places.lazy.flatMap { place in
            place.features.map { feature in
                [
                    Cell(place.position), .text(place.token), Cell(place.layer), Cell(place.routerWeight),
                    Cell(feature.rank), Cell(feature.index), .real(Double(feature.activation)),
                    Cell(names[feature.index]?.explanation),
                ]
            }
        }
    }

    /// The rows as objects.
    package var json: JSONValue {
        .array(rows.map { .object(JSONObject(columns: Self.columns, row: $0)) })
    }
}
