package import Vocabulary

/// An explanation of a feature (table `explanation`).
package struct ExplanationRecord: Equatable, Sendable {
    /// The key; 0 for a record that is yet to be written.
    package let explanationID: Int64
    /// The run that wrote it.
    package let runID: Int64
    /// The feature's dictionary.
    package let dictionaryID: Int64
    /// The latent's number.
    package let featureIndex: Int
    /// Its method, such as `n2g`; unique with the run and the feature.
    package let corpusID: Int64
    /// How it was made, such as `n2g`; with the run and the feature it is unique.
    package let method: String
    /// The explanation for people.
    package let text: String
    /// The explanation for simulators, a JSON object; nil if the text is all.
    package let detailJSON: String?

    /// Describes an explanation.
    package init(
        explanationID: Int64 = 0, runID: Int64, dictionaryID: Int64, featureIndex: Int, corpusID: Int64, method: String,
        text: String, detailJSON: String? = nil
    ) {
        self.explanationID = explanationID
        self.runID = runID
        self.dictionaryID = dictionaryID
        self.featureIndex = featureIndex
        self.corpusID = corpusID
        self.method = method
        self.text = text
        self.detailJSON = detailJSON
    }
}

/// The result of testing an explanation or a feature (table `score`). A failure is never a number.
package struct ScoreRecord: Equatable, Sendable {
    /// The outcome of a test.
    package enum Status: String, CaseIterable, Sendable {
        /// `value` is the score.
        case ok
        /// The test failed, for the reason in `reason`; worth a retry.
        case failed
        /// The test has no value (no variance), for the reason in `reason`; a retry would not help.
        case undefined
    }

    /// The key; 0 for a record that is yet to be written.
    package let scoreID: Int64
    /// The run that scored it.
    package let runID: Int64
    /// The feature's dictionary.
    package let dictionaryID: Int64
    /// The latent's number.
    package let featureIndex: Int
    /// The corpus whose contexts it rests on.
    package let corpusID: Int64
    /// The scored explanation; nil if the feature itself was scored (a rubric).
    package let explanationID: Int64?
    /// The test.
    package let method: ScoreMethod
    /// The outcome.
    package let status: Status
    /// The score; present exactly when `status` is `ok`.
    package let value: Double?
    /// The baseline: the score of another feature's explanation on the same contexts.
    package let baselineValue: Double?
    /// The kind of pattern a judge saw; only for a rubric.
    package let category: FeatureCategory?
    /// The reason for a missing value; present exactly when `status` is not `ok`.
    package let reason: String?
    /// Contexts used.
    package let contextCount: Int
    /// Tokens used.
    package let tokenCount: Int
    /// Other figures, a JSON object of numbers (and nulls).
    package let metricsJSON: String?
    /// Further details, such as the answers of a judge, a JSON document stored compressed.
    package let detailJSON: String?

    /// Describes a score.
    package init(
        scoreID: Int64 = 0, runID: Int64, dictionaryID: Int64, featureIndex: Int, corpusID: Int64,
        explanationID: Int64?, method: ScoreMethod, status: Status, value: Double?, baselineValue: Double? = nil,
        category: FeatureCategory? = nil, reason: String? = nil,
        contextCount: Int, tokenCount: Int, metricsJSON: String? = nil, detailJSON: String? = nil
    ) {
        self.scoreID = scoreID
        self.runID = runID
        self.dictionaryID = dictionaryID
        self.featureIndex = featureIndex
        self.corpusID = corpusID
        self.explanationID = explanationID
        self.method = method
        self.status = status
        self.value = value
        self.baselineValue = baselineValue
        self.category = category
        self.reason = reason
        self.contextCount = contextCount
        self.tokenCount = tokenCount
        self.metricsJSON = metricsJSON
        self.detailJSON = detailJSON
    }
}

/// A request to a language model's endpoint and its reply (table `exchange`), byte for byte.
package struct ExchangeRecord: Equatable, Sendable {
    /// Base URL of the endpoint; never a key.
    package let endpoint: String
    /// The model asked, as the endpoint calls it.
    package let llm: String
    /// The JSON that was sent.
    package let request: [UInt8]
    /// The JSON that came back.
    package let reply: [UInt8]
    /// Tokens of the request, as counted by the endpoint.
    package let promptTokenCount: Int?
    /// Tokens of the reply, as counted by the endpoint.
    package let completionTokenCount: Int?

    /// Describes an exchange.
    package init(
        endpoint: String, llm: String, request: [UInt8], reply: [UInt8], promptTokenCount: Int?,
        completionTokenCount: Int?
    ) {
        self.endpoint = endpoint
        self.llm = llm
        self.request = request
        self.reply = reply
        self.promptTokenCount = promptTokenCount
        self.completionTokenCount = completionTokenCount
    }

    /// Its identity: the SHA-256 of the endpoint, a line feed, and the request.
    package var sha256: String { Self.sha256(endpoint: endpoint, request: request) }

    /// The digest of a request before it is answered.
    package static func sha256(endpoint: String, request: [UInt8]) -> String {
        var digest = SHA256Digest()
        digest.update(Array(endpoint.utf8) + [UInt8(ascii: "\n")])
        digest.update(request)
        return digest.hexadecimal()
    }
}
