"""A contender: training steps of the same architecture in PyTorch. See `turns.Contender` for the protocol.

It needs PyTorch alone (`benchmarks/requirements.txt`), in an environment of its own.

Usage: python benchmarks/torch_worker.py {float32,bfloat16} {contiguous,channels_last} {eager,compiled} BATCH_SIZE
"""

import sys
import time
import warnings

warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # not needed, not installed

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812


class VAE(nn.Module):
    """The post's model: layer by layer that of `vae.nn.model`, with upsampling and deconvolution apart."""

    def __init__(self, latent_dim: int = 10) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Flatten(),
        )
        self.z_mean = nn.Linear(1600, latent_dim)
        self.z_log_var = nn.Linear(1600, latent_dim)
        self.decoder = nn.Sequential(
            *(nn.Linear(latent_dim, 1600), nn.Unflatten(1, (64, 5, 5))),
            *(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(64, 64, 3), nn.ReLU()),
            *(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(64, 32, 3), nn.ReLU()),
            nn.ConvTranspose2d(32, 1, 3),
        )

    def forward(self, images: torch.Tensor, bfloat16: bool) -> torch.Tensor:
        """The loss: the negative ELBO in nats, averaged over images (batch, 1, 28, 28)."""
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            h = self.encoder(images)
            with torch.autocast("cpu", enabled=False):
                z_mean, z_log_var = self.z_mean(h.float()), self.z_log_var(h.float())
                z = z_mean + torch.exp(0.5 * z_log_var) * torch.randn_like(z_mean)
            logits = self.decoder(z).float()
        reconstruction = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        kl = 0.5 * torch.sum(z_mean**2 + torch.exp(z_log_var) - 1 - z_log_var)
        return (reconstruction + kl) / len(images)


def main(precision: str, layout: str, mode: str, batch_size: int) -> None:
    torch.manual_seed(0)
    model = VAE()
    images = torch.rand(100 * batch_size, 1, 28, 28)
    if layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    loss_of = torch.compile(model) if mode == "compiled" else model

    def step(i: int) -> None:
        optimizer.zero_grad()
        loss_of(images[i * batch_size : (i + 1) * batch_size], precision == "bfloat16").backward()
        optimizer.step()

    for line in sys.stdin:
        step(0)  # as in Keras's contenders, the first is not counted
        started = time.perf_counter()
        for i in range(int(line)):
            step(i)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
