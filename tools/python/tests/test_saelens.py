"""Tests of routesae.saelens: python -m unittest discover tools/python/tests (needs sae-lens)."""

import tempfile
import unittest
import warnings

import torch
from sae_lens import SAE
from sae_lens.saes.sae import SAEMetadata

from routesae.saelens import RouteSAE, RouteSAEConfig, concatenate

warnings.filterwarnings("ignore")
LAYERS, D, M, K = [2, 3, 5], 7, 11, 3


def make(**settings: object) -> RouteSAE:
    """A dictionary of seeded weights."""
    settings.setdefault("k", K)
    config = RouteSAEConfig(d_in=len(LAYERS) * D, d_sae=M, layers=LAYERS, **settings)  # type: ignore[arg-type]
    sae = RouteSAE(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return sae


def streams(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, len(LAYERS) * D, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def naive(sae: RouteSAE, x: torch.Tensor) -> tuple[torch.Tensor, int, torch.Tensor]:
    """Latents, the chosen place and its reconstruction, of one token [layers * d] by hard routing and a layer norm."""
    h = [x[i * D : (i + 1) * D] for i in range(len(LAYERS))]
    normal = [(v - v.mean()) / (v.std() + sae.cfg.input_epsilon) for v in h]
    p = torch.softmax(torch.stack([row @ sum(normal) for row in sae.router]), 0)
    best = int(p.argmax())
    scale = p[best] if sae.cfg.scales_by_probability else torch.tensor(1.0)
    pre = (scale * normal[best] - sae.b_dec) @ sae.W_enc + sae.b_enc
    kept = (pre > max(float(sae.threshold), 0)).nonzero() if sae.cfg.k is None else pre.argsort(descending=True)[:K]
    latents = torch.zeros(M)
    for j in kept:
        latents[j] = pre[j] if sae.cfg.keeps_negative else max(float(pre[j]), 0.0)
    decoded = (latents @ sae.W_dec + sae.b_dec) / scale
    return latents, best, decoded * h[best].std() + h[best].mean()


class RoutedDictionaryTests(unittest.TestCase):
    def setUp(self) -> None:
        torch.set_grad_enabled(False)

    def test_it_computes_what_the_formulas_say(self) -> None:
        for reference, k in ((False, K), (True, K), (False, None)):
            sae = make(keeps_negative=reference, scales_by_probability=reference, k=k)
            x = streams(20)
            latents, out, layers = sae.encode(x), sae(x), sae.layers_read(x)
            self.assertGreater(len(set(layers.tolist())), 1)
            for token in range(len(x)):
                expected, best, reconstruction = naive(sae, x[token])
                torch.testing.assert_close(latents[token], expected, atol=1e-5, rtol=1e-5)
                self.assertEqual(int(layers[token]), LAYERS[best])
                whole = x[token].clone()
                whole[best * D : (best + 1) * D] = reconstruction
                torch.testing.assert_close(out[token], whole, atol=1e-4, rtol=1e-5)

    def test_a_soft_reconstruction_changes_the_mixture_by_the_error(self) -> None:
        sae = make(routing="soft", input_rule="none")
        x = streams(20)
        latents, reading = sae.encode(x), sae.read(x)
        out = sae.decode(latents).unflatten(-1, (len(LAYERS), D))
        mixture = (reading.probabilities.unsqueeze(-1) * out).sum(-2)
        torch.testing.assert_close(mixture, latents @ sae.W_dec + sae.b_dec, atol=1e-4, rtol=1e-4)

    def test_any_leading_axes_are_kept(self) -> None:
        sae = make()
        x = streams(2, 5)
        self.assertEqual(sae.encode(x).shape, (2, 5, M))
        self.assertEqual(sae(x).shape, x.shape)
        torch.testing.assert_close(sae(x).flatten(0, 1), sae(x.flatten(0, 1)))

    def test_a_stream_of_zeros_is_no_nan(self) -> None:
        for rule in ("layer_norm", "unit_norm", "none", "scale"):
            self.assertTrue(make(input_rule=rule)(torch.zeros(1, len(LAYERS) * D)).isfinite().all())

    def test_sae_lens_saves_and_loads_it(self) -> None:
        for k in (K, None):
            sae = make(aggregation="mean", metadata=SAEMetadata(model_name="m"), k=k)
            with tempfile.TemporaryDirectory() as folder:
                sae.save_model(folder)
                loaded = SAE.load_from_disk(folder)
            self.assertEqual(loaded.cfg.layers, LAYERS)
            self.assertEqual(loaded.cfg.k, k)
            torch.testing.assert_close(loaded.encode(streams(4)), sae.encode(streams(4)))

    def test_wrong_settings_and_calls_are_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "routing is 'medium'"):
            make(routing="medium")
        with self.assertRaisesRegex(ValueError, "d_in is 20"):
            RouteSAEConfig(d_in=20, d_sae=M, k=K, layers=LAYERS)
        with self.assertRaisesRegex(ValueError, "k is 12"):
            RouteSAEConfig(d_in=21, d_sae=M, k=12, layers=LAYERS)
        with self.assertRaisesRegex(RuntimeError, "encode the same tokens first"):
            make().decode(torch.zeros(3, M))
        with self.assertRaisesRegex(ValueError, "soft routing"):
            make(routing="soft").reconstruct(streams(3))


class ConcatenateTests(unittest.TestCase):
    def test_layer_l_is_the_entry_after_it(self) -> None:
        hidden = [torch.full((1, 2, D), float(number)) for number in range(8)]
        x = concatenate(hidden, LAYERS)
        self.assertEqual(x.shape, (1, 2, 3 * D))
        self.assertEqual([float(x[0, 0, i * D]) for i in range(3)], [3.0, 4.0, 6.0])

    def test_the_normalised_last_layer_is_refused(self) -> None:
        hidden = [torch.zeros(1, D) for _ in range(8)]
        concatenate(hidden, [5])
        for layer in (6, 7, -1):
            with self.assertRaisesRegex(ValueError, f"layer {layer} "):
                concatenate(hidden, [layer])


if __name__ == "__main__":
    unittest.main()
