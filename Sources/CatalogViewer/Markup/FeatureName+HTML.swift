import Indexing

extension FeatureName {
    /// The name in a list: the explanation, or what the feature fires on, 240 characters at most.
    var short: HTML {
        if let explanation {
            return "<bdi>\(String(explanation.prefix(240)))</bdi>"
        }
        if let topToken { return "<span class=\"dim\">fires on</span> \(TokenText.alone(topToken))" }
        return "<span class=\"none\">never fires</span>"
    }
}
