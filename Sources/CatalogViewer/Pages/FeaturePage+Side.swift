import ActivationPipeline
import FeatureCatalog
import Indexing
import TerminalOutput

extension FeaturePage {
    /// Token classes shown.
    private static let classCount = 12

    var histogram: HTML {
        let plot = Histogram(
            counts: feature.histogram, edges: index.indexing.histogramEdges,
            largest: feature.maxActivation.map { Double($0) }, most: 64)
        return plot.map { "<section><h2>Activations</h2>\($0.plot.inline)</section>" as HTML } ?? ""
    }

    var layerSection: HTML {
        layers.drawn { layers in
            guard !layers.isEmpty else { return "" }
            let total = Double(max(1, feature.firedCount))
            let greatest = Double(layers.map(\.firedCount).max() ?? 1)
            let rows = layers.map { layer -> HTML in
                let bar = LayerBars.meter(
                    Double(layer.firedCount) / max(1, greatest), style: scale.style(layer.layer))
                return """
                    <tr><th scope="row">\(scale.badge(layer.layer))</th>\
                    <td class="bar">\(bar)</td>\
                    <td class="n">\(Figure.share(Double(layer.firedCount) / total))</td>\
                    <td class="n">\(Figure.number(layer.sumActivation / Double(max(1, layer.firedCount))))</td>\
                    <td class="n">\(Figure.number(Double(layer.maxActivation)))</td>\
                    <td class="n">\(Figure.number(layer.firedCount > 0 ? layer.meanRouterWeight : nil))</td></tr>
                    """
            }
            return """
                <section><h2>Layers</h2><div class="scroll"><table class="list fit"><thead><tr><th>layer</th>\
                <th>firings</th><th class="n">share</th>\
                <th class="n">mean</th><th class="n">most</th><th class="n">router</th></tr></thead><tbody>\(rows)\
                </tbody></table></div></section>
                """
        }
    }

    var tokenSection: HTML {
        tokens.drawn { tokens in
            guard !tokens.isEmpty else { return "" }
            let greatest = feature.maxActivation ?? tokens[0].activation1
            let rows = tokens.prefix(Self.classCount).map { token -> HTML in
                let style = TokenText.intensity(token.activation1, of: greatest) ?? "a0"
                return """
                    <tr><th scope="row"><a href="\
                    \(links.features([("token", token.tokenClass)]))" \
                    title="features that fire on it">\(TokenText.alone(token.tokenClass))</a></th>\
                    <td class="n">\(Figure.count(token.firedCount))</td><td class="n">\
                    <b class="\(style)">\(Figure.number(Double(token.activation1)))</b></td>\
                    <td class="n">\(Figure.number(token.activation2.map { Double($0) }))</td></tr>
                    """
            }
            let note: HTML = tokens.count > rows.count ? " <small>\(rows.count) of \(tokens.count) kept</small>" : ""
            return """
                <section><h2>Tokens\(note)</h2><div class="scroll"><table class="list fit"><thead><tr><th>fires on\
                </th><th class="n">times</th>\
                <th class="n">strongest</th><th class="n">second</th></tr></thead><tbody>\(rows)</tbody></table></div>\
                </section>
                """
        }
    }

    var logitSection: HTML {
        logits.drawn { logits in
            guard !logits.isEmpty else { return "" }
            let greatest = logits.map { abs(Double($0.logit.value)) }.filter(\.isFinite).max() ?? 1
            let lists = FeatureLogit.Direction.allCases.map { direction -> HTML in
                let rows = logits.filter { $0.logit.direction == direction }.prefix(10).map { logit, text -> HTML in
                    let bar = LayerBars.meter(
                        abs(Double(logit.value)) / max(greatest, 1e-12),
                        style: direction == .promoted ? "up" : "down")
                    return """
                        <tr><th scope="row">\(text.map(TokenText.alone) ?? "#\(logit.tokenID)")</th>\
                        <td class="bar">\(bar)</td>\
                        <td class="n">\(Figure.number(Double(logit.value)))</td></tr>
                        """
                }
                return """
                    <div><h3>\(direction == .promoted ? "Promotes" : "Suppresses")</h3><div class="scroll">\
                    <table class="list fit"><tbody>\(rows)</tbody></table></div></div>
                    """
            }
            return """
                <section><h2>Next tokens <small>change of the logit per unit of activation</small></h2>\
                <div class="pair">\(lists)</div>\(logitPlot)</section>
                """
        }
    }

    private var logitPlot: HTML {
        logitHistogram.drawn { histogram in
            if let histogram { return "<figure>\(LogitHistogram(histogram).plot.inline)</figure>" }
            return """
                <p class="fine">The changes of all other tokens' logits are not in this index; \
                <code>\(reindexing)</code> adds them.</p>
                """
        }
    }

    var neighborSection: HTML {
        neighbors.drawn { neighbors in
            list(
                "Neighbours",
                remark: """
                    by cosine of the decoder vectors; \
                    <a href="\(links.map.at("f\(number)"))">on the map</a>
                    """,
                neighbors.map { ($0.neighborIndex, Figure.number(Double($0.cosine))) })
        }
    }

    var cofiringSection: HTML {
        cofirings.drawn { cofirings in
            list(
                "Fires together with", remark: "share of its firings; lift over independent features",
                cofirings.map {
                    ($0.otherIndex, "\(Figure.share($0.share)) <small>×\(Figure.number($0.lift))</small>" as HTML)
                })
        }
    }

    private func list(_ title: String, remark: HTML, _ features: [(index: Int, figure: HTML)]) -> HTML {
        guard !features.isEmpty else { return "" }
        let rows = features.prefix(10).map { other, figure -> HTML in
            """
            <li><a href="\(links.feature(other))"><span class="id">\(other)</span><span>\(others[other]?.short)</span></a>\
            <span class="n">\(figure)</span></li>
            """
        }
        return "<section><h2>\(title) <small>\(remark)</small></h2><ol class=\"features tight\">\(rows)</ol></section>"
    }
}
